using Google.Protobuf;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Workflows;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;
using Criteria = Roster.Core.Filters.Criteria;
using PropertyKind = Roster.Core.Values.PropertyType;

namespace Roster.Engine.Catalog;

/// <summary>
/// The owner of one tenant's schema, lists and workflows: the workflow actors and the schema actor in one, since they are few and change
/// rarely. It is the only writer; turns read the <see cref="Catalog"/> snapshot.
/// </summary>
/// <remarks>
/// A change is durable before the snapshot that has it is seen by anyone, so no turn can be decided on a version that a crash takes
/// back, and every turn after the return of a call sees the change (EDT-06). Thread-safe.
/// </remarks>
public sealed partial class TenantOwner : IJournalNames
{
    private readonly Lock _gate = new();
    private readonly Action<IReadOnlyList<StoredDocument>> _commit;
    private readonly TimeProvider _clock;
    private readonly SortedDictionary<string, WorkflowEntry> _workflows = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, ListEntry> _lists = new(StringComparer.Ordinal);
    private volatile TenantCatalog _catalog;
    private Dictionary<int, WorkflowEntry> _byNumber = [];
    private Dictionary<int, string> _listIds = [];

    internal TenantOwner(int number, string id, IEnumerable<StoredDocument> documents, Action<IReadOnlyList<StoredDocument>> commit, TimeProvider clock)
    {
        Number = number;
        Id = id;
        _commit = commit;
        _clock = clock;
        _catalog = BuildCatalog(1, Load(documents));
    }

    /// <summary>Takes what is stored; returns the schema.</summary>
    private TenantSchema Load(IEnumerable<StoredDocument> documents)
    {
        _workflows.Clear();
        _lists.Clear();
        _inboxes.Clear();
        _requests.Clear();
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
            else if (document.Kind == DocumentKinds.List)
            {
                var entry = new ListEntry(ListDocument.Parser.ParseFrom(document.Content));
                _lists[entry.Id] = entry;
            }
            else if (document.Kind == DocumentKinds.Inbox)
            {
                _inboxes[document.Id] = InboxDocument.Parser.ParseFrom(document.Content).Inbox;
            }
            else if (document.Kind == DocumentKinds.Request)
            {
                _requests[document.Id] = RequestDocument.Parser.ParseFrom(document.Content);
            }
            else
            {
                AddStored(document);
            }
        }

        return schema;
    }

    /// <summary>Version of the stored definitions that the <see cref="Catalog"/> has at least; 0 where nobody else writes.</summary>
    public long StoredVersion => _storedVersion.Value;

    internal void SetStoredVersion(long version) => _storedVersion.Value = version;

    /// <summary>A commit wrote definitions of this tenant, which have at least that version now.</summary>
    internal void RaiseStoredVersion(long version) => _storedVersion.RaiseTo(version);

    /// <summary>Takes definitions that another process may have changed, when they are newer than what is known.</summary>
    internal void Reload(IEnumerable<StoredDocument> documents, long version)
    {
        lock (_gate)
        {
            if (version <= StoredVersion)
            {
                return;
            }

            Publish(Load(documents));
            _storedVersion.Value = version;
        }
    }

    private readonly RisingVersion _storedVersion = new();

    /// <summary>Number of the tenant.</summary>
    public int Number { get; }

    /// <summary>Name of the tenant.</summary>
    public string Id { get; }

    /// <summary>What turns decide on.</summary>
    public TenantCatalog Catalog => _catalog;

    /// <inheritdoc/>
    public TenantSchema Schema => _catalog.Schema;

    /// <summary>Called after every change of the catalog: who waits for instants of it looks again.</summary>
    public event Action? Changed;

    /// <summary>Enrollments now active in the tenant, as of the newest commit (LIM-04).</summary>
    public long ActiveEnrollments => Interlocked.Read(ref _activeEnrollments);

    /// <summary>Counts what a commit began and ended; turns see it at once.</summary>
    public void CountActive(long change) => _catalog.ActiveEnrollments = Interlocked.Add(ref _activeEnrollments, change);

    /// <summary>Counts records that a commit created; turns see it at once.</summary>
    public void CountRecords(long change) => _catalog.Records = Interlocked.Add(ref _records, change);

    /// <summary>What the store counts, where other processes create records and begin and end enrollments too.</summary>
    internal void SetCounts(long records, long active)
    {
        Interlocked.Exchange(ref _records, records);
        Interlocked.Exchange(ref _activeEnrollments, active);
        _catalog.Records = records;
        _catalog.ActiveEnrollments = active;
    }

    private long _activeEnrollments;
    private long _records;

    /// <summary>The tenant as readers see it.</summary>
    public Tenant ToWire() => SchemaMapping.ToWire(Id, _catalog.Schema);

    /// <inheritdoc/>
    public string WorkflowId(int workflow) => _byNumber.TryGetValue(workflow, out var entry) ? entry.Id : $"#{workflow}";

    /// <inheritdoc/>
    public string StepId(int workflow, int step) => _byNumber.TryGetValue(workflow, out var entry) ? entry.StepId(step) : $"#{step}";

    /// <inheritdoc/>
    public string GoalId(int workflow, int goal) => _byNumber.TryGetValue(workflow, out var entry) ? entry.GoalId(goal) : $"#{goal}";

    /// <inheritdoc/>
    public string ListId(int list) => _listIds.GetValueOrDefault(list, $"#{list}");

    /// <summary>Number of a workflow, 0 when there is none of that id.</summary>
    public int FindWorkflowNumber(string id)
    {
        lock (_gate)
        {
            return _workflows.TryGetValue(id, out var entry) && entry is { IsLive: true, IsSequence: false } ? entry.Document.Number : 0;
        }
    }

    /// <summary>Whether there is a workflow or sequence of that id, and it was not deleted.</summary>
    internal bool IsDefined(string id)
    {
        lock (_gate)
        {
            return _workflows.TryGetValue(id, out var entry) && entry.IsLive;
        }
    }

    /// <summary>Number of a workflow, also of one that was deleted; 0 when there never was one of that id.</summary>
    internal int NumberOfWorkflow(string id)
    {
        lock (_gate)
        {
            return _workflows.TryGetValue(id, out var entry) ? entry.Document.Number : 0;
        }
    }

    /// <summary>Number of a list, also of one that was deleted; 0 when there never was one of that id.</summary>
    internal int NumberOfList(string id)
    {
        lock (_gate)
        {
            return _lists.TryGetValue(id, out var entry) ? entry.Document.Number : 0;
        }
    }

    /// <summary>Criteria of a preview, with the object type and the workflow they belong to.</summary>
    internal (Criteria Criteria, int ObjectType, int Workflow) PreviewOf(PreviewEnrollmentRequest request)
    {
        if (request.WorkflowId.Length > 0)
        {
            var workflow = CompileFor(request.WorkflowId, 0, out var found)
                ?? throw Broken($"Workflow '{request.WorkflowId}' does not compile", found);
            return workflow.StartCriteria is { } criteria
                ? (criteria, workflow.ObjectType.Number, FindWorkflowNumber(request.WorkflowId))
                : throw new RosterException(RosterError.FailedPrecondition, $"Workflow '{request.WorkflowId}' has no criteria to look at.");
        }

        lock (_gate)
        {
            var type = FindType(_catalog.Schema, request.ObjectType);
            var problems = new List<WorkflowProblem>();
            var zone = TimeZones.Find(_catalog.Schema.Settings.TimeZone) ?? NodaTime.DateTimeZone.Utc;
            var criteria = new CriteriaCompiler(Scope(_catalog.Schema), type, zone, problems.Add).Compile(WorkflowMapping.ToCore(request.Criteria), "criteria");
            return problems.Exists(p => p.IsError)
                ? throw Broken("The criteria are not valid", problems)
                : (criteria, type.Number, 0);
        }
    }

    /// <summary>Changes the schema; the function gets the present one and returns the wanted one.</summary>
    public TenantSchema ChangeSchema(Func<TenantSchema, TenantSchema> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
        {
            while (true)
            {
                var present = _catalog.Schema;
                var wanted = change(present);
                if (ReferenceEquals(present, wanted))
                {
                    return wanted;
                }

                try
                {
                    _commit([ToDocument(wanted)]);
                }
                catch (StoreConflictException) when (ReloadSelf is not null)
                {
                    // Names are declared in the midst of reading events, where nobody else could do this.
                    ReloadSelf(this);
                    continue;
                }

                Publish(wanted);
                return wanted;
            }
        }
    }

    /// <summary>Reads this tenant from the store, where other processes write too; null where they do not.</summary>
    internal Action<TenantOwner>? ReloadSelf { get; set; }

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

        bool? isSensitive = wanted.HasSensitive ? wanted.Sensitive : null;
        return present is not null && wanted.Options.All(present.HasOption) && (isSensitive is null || isSensitive == present.IsSensitive)
            ? schema
            : schema.WithProperty(type, wanted.Name, kind, wanted.Options, isSensitive);
    }

    private static ObjectTypeDefinition FindType(TenantSchema schema, string name) => schema.FindObjectType(name)
        ?? throw RosterException.Invalid(new Core.Refusal(
            RefusalReason.UndeclaredObjectType, "object_type", Core.Refusal.Cut(name), $"Object type '{Core.Refusal.Cut(name)}' is not declared."));

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A definition that has errors. The message names the first; warnings may come before it.</summary>
    private static RosterException Broken(string what, IReadOnlyList<WorkflowProblem> problems)
    {
        var first = problems.First(p => p.IsError);
        return new RosterException(RosterError.FailedPrecondition, $"{what}: {first.Path}: {first.Message}", problems: [.. problems.Select(WorkflowMapping.ToWire)]);
    }

    private static void CheckRevision(string what, string id, long named, long present)
    {
        if (named != present)
        {
            throw new RosterException(RosterError.RevisionConflict, $"{what} '{id}' is at revision {present}, the request names {named}: read it and save again (EDT-02).");
        }
    }

    private StoredDocument ToDocument(TenantSchema schema) => new(Number, DocumentKinds.Schema, DocumentKinds.Schema, SchemaMapping.ToDocument(schema).ToByteArray());

    /// <summary>Names that definitions use for the first time get numbers: event types, labels, and properties that hold consent.</summary>
    private static TenantSchema WithNames(TenantSchema schema, string objectType, IEnumerable<string> eventTypes, IEnumerable<string> subscriptions, IEnumerable<string> labels)
    {
        foreach (var eventType in eventTypes)
        {
            if (Names.IsName(eventType) && schema.EventTypes.Length < TenantSchema.EventTypesMax)
            {
                schema = schema.WithEventType(eventType);
            }
        }

        foreach (var label in labels.Where(l => Names.IsName(l) && schema.Labels.Length < TenantSchema.LabelsMax))
        {
            schema = schema.WithLabel(label);
        }

        foreach (var property in subscriptions.Select(Consents.PropertyOf).Where(Names.IsName))
        {
            if (schema.FindObjectType(objectType) is { } type && type.Find(property) is null && type.PropertyCount < TenantSchema.PropertiesMax)
            {
                schema = schema.WithProperty(type, property, PropertyKind.String, []);
            }
        }

        return schema;
    }

    /// <summary>Properties that tasks and notes of steps have (ACT-24).</summary>
    private static TenantSchema WithTaskProperties(TenantSchema schema, WorkflowDefinition definition)
    {
        foreach (var (objectType, property, kind) in DefinitionWalk.TaskProperties(definition))
        {
            if (schema.FindObjectType(objectType) is { } type && type.Find(property) is null && type.PropertyCount < TenantSchema.PropertiesMax)
            {
                schema = schema.WithProperty(type, property, kind, []);
            }
        }

        return schema;
    }

    private void Publish(TenantSchema schema)
    {
        var catalog = BuildCatalog(_catalog.Version + 1, schema);
        catalog.ActiveEnrollments = ActiveEnrollments;
        catalog.Records = Interlocked.Read(ref _records);
        _catalog = catalog;
        Changed?.Invoke();
    }

    /// <summary>What definitions may refer to. What is stored already may refer to what is gone.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="isStored">For what is stored already, or is about to be.</param>
    /// <param name="changed">An entry that takes the place of the one of its id; null for none.</param>
    private DefinitionScope Scope(TenantSchema schema, bool isStored = false, WorkflowEntry? changed = null) => new(
        schema,
        _lists.Values.Where(l => l.IsLive || isStored).Select(l => l.ToInfo(schema)),
        _workflows.Values.Select(w => w.Id == changed?.Id ? changed : w).Where(w => w.IsLive || isStored).Select(w => w.ToInfo(schema)),
        _endpoints.Values.Where(e => !e.Deleted || isStored).Select(e => e.Id));

    private TenantCatalog BuildCatalog(long version, TenantSchema schema)
    {
        _byNumber = _workflows.Values.ToDictionary(w => w.Document.Number);
        _listIds = _lists.Values.ToDictionary(l => l.Document.Number, l => l.Id);
        var scope = Scope(schema, isStored: true);
        var live = _workflows.Values.Where(w => w.IsLive).ToList();
        return new TenantCatalog(
            Number,
            Id,
            version,
            schema,
            live.Select(w => w.CompileNewest(scope)).OfType<CompiledWorkflow>(),
            _lists.Values.Where(l => l.IsLive).Select(l => l.Compile(scope)),
            live.SelectMany(w => w.CompileOlder(scope)),
            _workflows.Values.Where(w => w.IsSequence).Select(w => w.Document.Number),
            InboxInfos(schema));
    }
}

/// <summary>Kinds of stored documents.</summary>
internal static class DocumentKinds
{
    public const string Tenant = "tenant";
    public const string Schema = "schema";
    public const string Workflow = "workflow";
    public const string List = "list";
    public const string Inbox = "inbox";
    public const string Operation = "operation";
    public const string Credential = "credential";

    /// <summary>The records that a bulk job names, under the id of the job.</summary>
    public const string OperationRefs = "operation_refs";

    /// <summary>A webhook endpoint with its secrets.</summary>
    public const string Webhook = "webhook";

    /// <summary>Limits of a queue.</summary>
    public const string Queue = "queue";

    /// <summary>A change of definitions that carried a request id, with its answer.</summary>
    public const string Request = "request";

    /// <summary>Version of the zone database that pending due instants were computed with.</summary>
    public const string Zones = "zones";

    /// <summary>The key of the hashes that stand for erased ids (REC-17).</summary>
    public const string Erasure = "erasure";
}
