using NodaTime;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Schema;
using Roster.Core.Workflows;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Catalog;

/// <summary>A list as one document. Changed by copy; the owner holds the latest.</summary>
internal sealed class ListEntry(ListDocument document)
{
    private (Core.Schema.TenantSettings Settings, ObjectTypeDefinition? Type) _compiledFor;
    private CompiledList? _compiled;

    public ListDocument Document { get; } = document;

    public string Id => Document.List.Id;

    public bool IsLive => !Document.Deleted;

    public bool IsActive => Document.List.Criteria is not null;

    public ListEntry Copy() => new(Document.Clone());

    public ListInfo ToInfo(TenantSchema schema) => new(Id, Document.Number, schema.FindObjectType(Document.List.ObjectType)?.Number ?? 0, IsActive);

    public List ToWire(long members)
    {
        var wire = Document.List.Clone();
        wire.Revision = Document.Revision;
        wire.Members = members;
        wire.CreatedAt = ValueMapping.ToWire(new Timestamp(Document.CreatedAt));
        wire.UpdatedAt = ValueMapping.ToWire(new Timestamp(Document.UpdatedAt));
        return wire;
    }

    /// <summary>Compiles its criteria, once.</summary>
    public CompiledList Compile(DefinitionScope scope)
    {
        var key = (scope.Schema.Settings, scope.Schema.FindObjectType(Document.List.ObjectType));
        if (_compiled is null || _compiledFor != key)
        {
            _compiled = Compile(scope, out var problems);
            _compiledFor = key;
            if (problems.Any(p => p.IsError))
            {
                throw new InvalidOperationException($"List '{Id}' was saved but does not compile: {problems[0].Path}: {problems[0].Message}");
            }
        }

        return _compiled;
    }

    /// <summary>Compiles its criteria and says what is wrong with them.</summary>
    public CompiledList Compile(DefinitionScope scope, out IReadOnlyList<WorkflowProblem> problems)
    {
        var found = new List<WorkflowProblem>();
        problems = found;
        var info = ToInfo(scope.Schema);
        var type = scope.Schema.FindObjectType(Document.List.ObjectType);
        if (type is null)
        {
            found.Add(new WorkflowProblem(true, "objectType", "UNDECLARED_OBJECT_TYPE", Core.Refusal.Cut(Document.List.ObjectType), $"Object type '{Core.Refusal.Cut(Document.List.ObjectType)}' is not declared."));
            return new CompiledList(info, null);
        }

        var zone = TimeZones.Find(scope.Schema.Settings.TimeZone) ?? DateTimeZone.Utc;
        return new CompiledList(info, Document.List.Criteria is null ? null : new CriteriaCompiler(scope, type, zone, found.Add).Compile(WorkflowMapping.ToCore(Document.List.Criteria), "criteria"));
    }
}
