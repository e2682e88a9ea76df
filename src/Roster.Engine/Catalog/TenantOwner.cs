using Google.Protobuf;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Schema;
using Roster.Core.Workflows;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;
using PropertyKind = Roster.Core.Values.PropertyType;

namespace Roster.Engine.Catalog;

/// <summary>
/// The owner of one tenant's schema and workflows: the workflow actors and the schema actor in one, since they are few and change
/// rarely. It is the only writer; turns read the <see cref="Catalog"/> snapshot.
/// </summary>
/// <remarks>
/// A change is durable before the snapshot that has it is seen by anyone, so no turn can be decided on a version that a crash takes
/// back, and every turn after the return of a call sees the change (EDT-06). Thread-safe.
/// </remarks>
public sealed class TenantOwner
{
    private readonly Lock _gate = new();
    private readonly Action<IReadOnlyList<StoredDocument>> _commit;
    private readonly TimeProvider _clock;
    private readonly SortedDictionary<string, WorkflowEntry> _workflows = new(StringComparer.Ordinal);
    private volatile TenantCatalog _catalog;
    private Dictionary<int, WorkflowEntry> _byNumber = [];

    internal TenantOwner(int number, string id, IEnumerable<StoredDocument> documents, Action<IReadOnlyList<StoredDocument>> commit, TimeProvider clock)
    {
        Number = number;
        Id = id;
        _commit = commit;
        _clock = clock;
        var schema = TenantSchema.New(Core.Schema.TenantSettings.Default);
        foreach (var document in documents)
        {
            if (document.Kind == DocumentKinds.Schema)
            {
                schema = SchemaMapping.FromDocument(SchemaDocument.Parser.ParseFrom(document.Content));
            }
            else if (document.Kind == DocumentKinds.Workflow)
            {
                var entry = new WorkflowEntry(WorkflowDocument.Parser.ParseFrom(document.Content));
                _workflows[entry.Id] = entry;
            }
        }

        _catalog = BuildCatalog(1, schema);
    }

    /// <summary>Number of the tenant.</summary>
    public int Number { get; }

    /// <summary>Name of the tenant.</summary>
    public string Id { get; }

    /// <summary>What turns decide on.</summary>
    public TenantCatalog Catalog => _catalog;

    /// <summary>The tenant as readers see it.</summary>
    public Tenant ToWire() => SchemaMapping.ToWire(Id, _catalog.Schema);

    /// <summary>Name of a step of a workflow, also of one that is gone.</summary>
    public string StepId(int workflow, int step) => _byNumber.TryGetValue(workflow, out var entry) ? entry.StepId(step) : $"#{step}";

    /// <summary>Number of a workflow, 0 when there is none of that id.</summary>
    public int FindWorkflowNumber(string id)
    {
        lock (_gate)
        {
            return _workflows.TryGetValue(id, out var entry) ? entry.Document.Number : 0;
        }
    }

    /// <summary>Changes the schema; the function gets the present one and returns the wanted one.</summary>
    public TenantSchema ChangeSchema(Func<TenantSchema, TenantSchema> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
        {
            var present = _catalog.Schema;
            var wanted = change(present);
            if (!ReferenceEquals(present, wanted))
            {
                _commit([ToDocument(wanted)]);
                _catalog = BuildCatalog(_catalog.Version + 1, wanted);
            }

            return wanted;
        }
    }

    /// <summary>Changes settings.</summary>
    public Tenant UpdateSettings(V1.TenantSettings? settings)
    {
        ChangeSchema(schema =>
        {
            var wanted = SchemaMapping.ToCore(settings, schema.Settings);
            var problems = wanted.Check();
            return problems.Count == 0
                ? schema.WithSettings(wanted)
                : throw RosterException.Invalid("settings", string.Empty, string.Join(" ", problems));
        });
        return ToWire();
    }

    /// <summary>Declares an object type.</summary>
    public ObjectType DeclareObjectType(string name)
    {
        var schema = ChangeSchema(schema =>
        {
            if (name.Length > 50 || !Names.IsId(name))
            {
                throw RosterException.Invalid("object_type", name, "An object type has 1 to 50 characters of a-z, 0-9, _ and -.");
            }

            return schema.ObjectTypes.Length < TenantSchema.ObjectTypesMax
                ? schema.WithObjectType(name)
                : throw RosterException.Invalid("object_type", name, $"A tenant has at most {TenantSchema.ObjectTypesMax} object types.");
        });
        return SchemaMapping.ToWire(schema.FindObjectType(name)!);
    }

    /// <summary>Declares properties.</summary>
    public ObjectType DeclareProperties(DeclarePropertiesRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var schema = ChangeSchema(schema =>
        {
            for (var i = 0; i < request.Properties.Count; i++)
            {
                schema = WithProperty(schema, request.ObjectType, request.Properties[i], i);
            }

            return schema;
        });
        return SchemaMapping.ToWire(FindType(schema, request.ObjectType));
    }

    private static TenantSchema WithProperty(TenantSchema schema, string objectType, V1.PropertyDefinition wanted, int index)
    {
        var type = FindType(schema, objectType);
        if (!Names.IsName(wanted.Name))
        {
            throw RosterException.Invalid($"properties[{index}].name", wanted.Name, "A property has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        var kind = (PropertyKind)(int)wanted.Type;
        if (kind == PropertyKind.None || !Enum.IsDefined(kind))
        {
            throw RosterException.Invalid($"properties[{index}].type", $"{wanted.Type}", $"Property '{wanted.Name}' needs a type.");
        }

        var present = type.Find(wanted.Name);
        if (present is not null && present.Type != kind)
        {
            throw RosterException.Invalid(
                $"properties[{index}].type", $"{wanted.Type}", $"Property '{wanted.Name}' of {type.Name} is of type {present.Type}; a type never changes (REC-18).");
        }

        if (present is null && type.PropertyCount >= TenantSchema.PropertiesMax)
        {
            throw RosterException.Invalid($"properties[{index}].name", wanted.Name, $"An object type has at most {TenantSchema.PropertiesMax} properties.");
        }

        return present is not null && wanted.Options.All(present.HasOption) ? schema : schema.WithProperty(type, wanted.Name, kind, wanted.Options);
    }

    private static ObjectTypeDefinition FindType(TenantSchema schema, string name) => schema.FindObjectType(name)
        ?? throw RosterException.Invalid(new Core.Refusal(
            RefusalReason.UndeclaredObjectType, "object_type", Core.Refusal.Cut(name), $"Object type '{Core.Refusal.Cut(name)}' is not declared."));

    /// <summary>Saves a draft (EDT-02).</summary>
    public Workflow Save(SaveWorkflowRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var wanted = request.Workflow ?? throw RosterException.Invalid("workflow", string.Empty, "The workflow is missing.");
        if (!Names.IsId(wanted.Id))
        {
            throw RosterException.Invalid("workflow.id", wanted.Id, "A workflow id has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        lock (_gate)
        {
            var isKnown = _workflows.TryGetValue(wanted.Id, out var present);
            CheckRevision(wanted.Id, request.Force ? present?.Document.Revision ?? 0 : wanted.Revision, present?.Document.Revision ?? 0);
            if (isKnown && present!.Document.Draft.ObjectType != wanted.ObjectType)
            {
                throw RosterException.Invalid("workflow.object_type", wanted.ObjectType, $"Workflow '{wanted.Id}' is for {present.Document.Draft.ObjectType}; the object type never changes (TRG-01).");
            }

            var entry = isKnown ? present!.Copy() : new WorkflowEntry(new WorkflowDocument
            {
                Number = _workflows.Count == 0 ? 1 : _workflows.Values.Max(w => w.Document.Number) + 1,
                CreatedAt = Now,
                State = Workflow.Types.State.Draft,
            });
            entry.Document.Draft = wanted.Clone();
            entry.Document.Revision++;
            return Store(entry).ToWire();
        }
    }

    /// <summary>Checks a definition.</summary>
    public IReadOnlyList<WorkflowProblem> Validate(Workflow? workflow)
    {
        if (workflow is null)
        {
            throw RosterException.Invalid("workflow", string.Empty, "The workflow is missing.");
        }

        new WorkflowEntry(new WorkflowDocument { Draft = workflow, State = Workflow.Types.State.Draft })
            .Compile(workflow, 1, WithEventTypes(_catalog.Schema, workflow), out var problems);
        return problems;
    }

    /// <summary>Reads a draft or version.</summary>
    public Workflow Get(string id, int version)
    {
        lock (_gate)
        {
            var entry = Find(id);
            if (version < 0 || version > entry.Document.Versions.Count)
            {
                throw new RosterException(RosterError.NotFound, $"Workflow '{id}' has versions 1 to {entry.Document.Versions.Count}, not {version}.");
            }

            return entry.ToWire(version);
        }
    }

    /// <summary>Lists drafts by id.</summary>
    public ListWorkflowsResponse List(ListWorkflowsRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var size = request.PageSize is 0 ? 100 : Math.Clamp(request.PageSize, 1, 1_000);
        lock (_gate)
        {
            var found = _workflows.Values
                .Where(w => string.CompareOrdinal(w.Id, request.PageToken) > 0)
                .Where(w => request.ObjectType.Length == 0 || w.Document.Draft.ObjectType == request.ObjectType)
                .Take(size + 1)
                .Select(w => w.ToWire())
                .ToList();
            var response = new ListWorkflowsResponse { Workflows = { found.Take(size) } };
            response.NextPageToken = found.Count > size ? found[size - 1].Id : string.Empty;
            return response;
        }
    }

    /// <summary>Publishes the draft.</summary>
    public PublishWorkflowResponse Publish(PublishWorkflowRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_gate)
        {
            var entry = Find(request.WorkflowId).Copy();
            CheckRevision(entry.Id, request.Revision == 0 ? entry.Document.Revision : request.Revision, entry.Document.Revision);
            var problems = Publish(entry);
            return new PublishWorkflowResponse
            {
                Workflow = Store(entry).ToWire(),
                Problems = { problems.Select(WorkflowMapping.ToWire) },
            };
        }
    }

    /// <summary>Switches a workflow.</summary>
    public Workflow SetState(SetWorkflowStateRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.State is not (Workflow.Types.State.On or Workflow.Types.State.Off))
        {
            throw RosterException.Invalid("state", $"{request.State}", "The state is ON or OFF.");
        }

        lock (_gate)
        {
            var entry = Find(request.WorkflowId).Copy();
            if (request.State == Workflow.Types.State.Off && entry.Document.State == Workflow.Types.State.Draft)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"Workflow '{entry.Id}' is a draft: it can only be switched on (EDT-01).");
            }

            if (entry.Document.Versions.Count == 0)
            {
                Publish(entry);
            }

            entry.Document.State = request.State;
            return Store(entry).ToWire();
        }
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    private IReadOnlyList<WorkflowProblem> Publish(WorkflowEntry entry)
    {
        var schema = WithEventTypes(_catalog.Schema, entry.Document.Draft);
        if (entry.Compile(entry.Document.Draft, entry.Document.Versions.Count + 1, schema, out var problems) is null)
        {
            throw new RosterException(
                RosterError.FailedPrecondition,
                $"Workflow '{entry.Id}' cannot be published: {problems[0].Path}: {problems[0].Message}",
                problems: [.. problems.Select(WorkflowMapping.ToWire)]);
        }

        ChangeSchema(present => WithEventTypes(present, entry.Document.Draft));
        entry.Document.Versions.Add(entry.Document.Draft.Clone());
        entry.Document.Revision++;
        return problems;
    }

    private static TenantSchema WithEventTypes(TenantSchema schema, Workflow workflow)
    {
        foreach (var trigger in workflow.Start?.Event?.AnyOf ?? [])
        {
            if (Names.IsName(trigger.EventType) && schema.EventTypes.Length < TenantSchema.EventTypesMax)
            {
                schema = schema.WithEventType(trigger.EventType);
            }
        }

        return schema;
    }

    private WorkflowEntry Store(WorkflowEntry entry)
    {
        entry.Document.UpdatedAt = Now;
        _commit([new StoredDocument(Number, DocumentKinds.Workflow, entry.Id, entry.Document.ToByteArray())]);
        _workflows[entry.Id] = entry;
        _catalog = BuildCatalog(_catalog.Version + 1, _catalog.Schema);
        return entry;
    }

    private WorkflowEntry Find(string id) => _workflows.GetValueOrDefault(id)
        ?? throw new RosterException(RosterError.NotFound, $"There is no workflow '{Core.Refusal.Cut(id)}'.", new Core.Refusal(RefusalReason.UnknownWorkflow, "workflow_id", Core.Refusal.Cut(id), $"There is no workflow '{Core.Refusal.Cut(id)}'."));

    private static void CheckRevision(string id, long named, long present)
    {
        if (named != present)
        {
            throw new RosterException(RosterError.RevisionConflict, $"Workflow '{id}' is at revision {present}, the request names {named}: read it and save again (EDT-02).");
        }
    }

    private StoredDocument ToDocument(TenantSchema schema) => new(Number, DocumentKinds.Schema, DocumentKinds.Schema, SchemaMapping.ToDocument(schema).ToByteArray());

    private TenantCatalog BuildCatalog(long version, TenantSchema schema)
    {
        _byNumber = _workflows.Values.ToDictionary(w => w.Document.Number);
        return new TenantCatalog(Number, Id, version, schema, _workflows.Values.Select(w => w.CompileNewest(schema)).OfType<CompiledWorkflow>());
    }
}

/// <summary>Kinds of stored documents.</summary>
internal static class DocumentKinds
{
    public const string Tenant = "tenant";
    public const string Schema = "schema";
    public const string Workflow = "workflow";
    public const string Operation = "operation";
}
