using Google.Protobuf;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Workflows;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Catalog;

/// <content>Sequences and the inboxes that they are sent from (section 20 of the rules).</content>
public sealed partial class TenantOwner
{
    /// <summary>Most inboxes of a tenant.</summary>
    public const int InboxesMax = 10_000;

    private readonly SortedDictionary<string, Inbox> _inboxes = new(StringComparer.Ordinal);

    /// <summary>Number of a sequence, 0 when there is none of that id.</summary>
    public int FindSequenceNumber(string id)
    {
        lock (_gate)
        {
            return _workflows.TryGetValue(id, out var entry) && entry is { IsLive: true, IsSequence: true } ? entry.Document.Number : 0;
        }
    }

    /// <summary>Number of a step of any version of a sequence, 0 when it never had one of that id.</summary>
    public int StepNumber(int sequence, string step) => _byNumber.TryGetValue(sequence, out var entry) ? entry.Document.Steps.IndexOf(step) + 1 : 0;

    /// <summary>Saves a sequence: a new version, in force at once (SEQ-14).</summary>
    public SaveSequenceResponse SaveSequence(SaveSequenceRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Once(request.RequestId, request, done => new SaveSequenceResponse { Sequence = done.Sequence, Problems = { done.Warnings } }, () => SaveSequenceNow(request));
    }

    private SaveSequenceResponse SaveSequenceNow(SaveSequenceRequest request)
    {
        var wanted = request.Sequence ?? throw RosterException.Invalid("sequence", string.Empty, "The sequence is missing.");
        if (!Names.IsId(wanted.Id))
        {
            throw RosterException.Invalid("sequence.id", wanted.Id, "A sequence id has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        lock (_gate)
        {
            var isKnown = _workflows.TryGetValue(wanted.Id, out var present);
            CheckSequenceId(wanted.Id, present);
            CheckRevision("Sequence", wanted.Id, request.Force ? present?.Document.Revision ?? 0 : wanted.Revision, present?.Document.Revision ?? 0);
            var entry = isKnown ? present!.Copy() : new WorkflowEntry(new WorkflowDocument
            {
                Number = _workflows.Count == 0 ? 1 : _workflows.Values.Max(w => w.Document.Number) + 1,
                CreatedAt = Now,
                State = Workflow.Types.State.On,
            });
            var schema = WithNames(_catalog.Schema, SequenceLowering.ToWorkflow(SequenceMapping.ToCore(wanted)));
            if (entry.CompileSequence(wanted, Scope(schema), out var problems) is null)
            {
                throw Broken($"Sequence '{wanted.Id}' cannot be saved", problems);
            }

            ChangeSchema(sequencePresent => WithNames(sequencePresent, SequenceLowering.ToWorkflow(SequenceMapping.ToCore(wanted))));
            Warn(problems);
            entry.AddSequence(wanted);
            entry.Document.InForceSince = Now;
            return new SaveSequenceResponse { Sequence = Store(entry).ToSequence(), Problems = { problems.Select(WorkflowMapping.ToWire) } };
        }
    }

    private static void CheckSequenceId(string id, WorkflowEntry? present)
    {
        if (present is { IsSequence: false })
        {
            throw new RosterException(RosterError.FailedPrecondition, $"'{id}' is the id of a workflow; choose another id for the sequence.");
        }

        if (present is { IsLive: false })
        {
            throw new RosterException(RosterError.FailedPrecondition, $"Sequence '{id}' was deleted; its id stays with its history. Choose another id.");
        }
    }

    /// <summary>Checks a sequence.</summary>
    public IReadOnlyList<WorkflowProblem> ValidateSequence(Sequence? sequence)
    {
        if (sequence is null)
        {
            throw RosterException.Invalid("sequence", string.Empty, "The sequence is missing.");
        }

        lock (_gate)
        {
            var schema = WithNames(_catalog.Schema, SequenceLowering.ToWorkflow(SequenceMapping.ToCore(sequence)));
            new WorkflowEntry(new WorkflowDocument { State = Workflow.Types.State.On }).CompileSequence(sequence, Scope(schema), out var problems);
            return problems;
        }
    }

    /// <summary>A catalog in which a sequence is as it is given, beside the others, for a walk that leaves no trace (HIS-05).</summary>
    public TenantCatalog CatalogFor(Sequence sequence, out CompiledWorkflow? compiled, out IReadOnlyList<WorkflowProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        lock (_gate)
        {
            var schema = WithNames(_catalog.Schema, SequenceLowering.ToWorkflow(SequenceMapping.ToCore(sequence)));
            var document = new WorkflowDocument { Number = _workflows.Count == 0 ? 1 : _workflows.Values.Max(w => w.Document.Number) + 1, State = Workflow.Types.State.On, CreatedAt = 1 };
            if (_workflows.TryGetValue(sequence.Id, out var known) && known.IsSequence)
            {
                document.Number = known.Document.Number;
                document.Steps.AddRange(known.Document.Steps);
            }

            var scope = Scope(schema, isStored: true);
            var others = _workflows.Values.Where(w => w is { IsLive: true, IsSequence: true } && w.Id != sequence.Id).ToList();
            compiled = new WorkflowEntry(document).CompileSequence(sequence, scope, out problems);
            return new TenantCatalog(
                Number,
                Id,
                0,
                schema,
                others.Select(w => w.CompileNewest(scope)).Append(compiled).OfType<CompiledWorkflow>(),
                _catalog.Lists,
                others.SelectMany(w => w.CompileOlder(scope)),
                _workflows.Values.Where(w => w.IsSequence).Select(w => w.Document.Number).Append(document.Number),
                InboxInfos(schema));
        }
    }

    /// <summary>Reads a sequence.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="version">A version; 0 for the newest.</param>
    public Sequence GetSequence(string id, int version)
    {
        lock (_gate)
        {
            var entry = FindSequence(id);
            return version >= 0 && version <= entry.Document.Sequences.Count
                ? entry.ToSequence(version)
                : throw new RosterException(RosterError.NotFound, $"Sequence '{id}' has versions 1 to {entry.Document.Sequences.Count}, not {version}.");
        }
    }

    /// <summary>Lists sequences by id.</summary>
    public ListSequencesResponse ListSequences(ListSequencesRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var size = request.PageSize is 0 ? 100 : Math.Clamp(request.PageSize, 1, 1_000);
        lock (_gate)
        {
            var found = _workflows.Values
                .Where(w => w is { IsLive: true, IsSequence: true } && string.CompareOrdinal(w.Id, request.PageToken) > 0)
                .Select(w => w.ToSequence())
                .Where(s => request.Owner.Length == 0 || s.Owner == request.Owner)
                .Take(size + 1)
                .ToList();
            var response = new ListSequencesResponse { Sequences = { found.Take(size) } };
            response.NextPageToken = found.Count > size ? found[size - 1].Id : string.Empty;
            return response;
        }
    }

    /// <summary>Deletes a sequence; its document stays for its number and its history (SEQ-17). Whether it may be is the caller's to say.</summary>
    /// <param name="request">Which.</param>
    /// <param name="jobs">Plans the job that ends its enrollments; its document is in the same commit. Called under the owner's lock.</param>
    public void DeleteSequence(DeleteSequenceRequest request, Func<WorkflowChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(jobs);
        lock (_gate)
        {
            var entry = FindSequence(request.SequenceId).Copy();
            CheckRevision("Sequence", entry.Id, request.Revision == 0 ? entry.Document.Revision : request.Revision, entry.Document.Revision);
            var user = _workflows.Values.FirstOrDefault(w => w.IsLive && w.Newest is { } newest && DefinitionWalk.Sequences(WorkflowMapping.ToCore(newest)).Contains(entry.Id));
            if (user is not null)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"Sequence '{entry.Id}' is named by workflow '{user.Id}': take that away first.");
            }

            entry.Document.Deleted = true;
            entry.Document.State = Workflow.Types.State.Off;
            Store(entry, ChangeOf(entry, touches: true), jobs);
        }
    }

    /// <summary>Saves the inbox of a user (SEQ-01, SEQ-15).</summary>
    public Inbox SaveInbox(SaveInboxRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Once(request.RequestId, request, done => done.Inbox, () => SaveInbox(request.Inbox));
    }

    private Inbox SaveInbox(Inbox? inbox)
    {
        var wanted = inbox?.Clone() ?? throw RosterException.Invalid("inbox", string.Empty, "The inbox is missing.");
        if (wanted.User.Length is 0 or > 100 || System.Text.Encoding.UTF8.GetByteCount(wanted.User) > RecordKey.IdBytesMax)
        {
            throw RosterException.Invalid("inbox.user", wanted.User, "An inbox is that of a user: 1 to 100 characters.");
        }

        if (wanted.Address.Length is 0 or > 320)
        {
            throw RosterException.Invalid("inbox.address", wanted.Address, "An inbox has an address of 1 to 320 characters.");
        }

        if (wanted.TimeZone.Length > 0 && TimeZones.Find(wanted.TimeZone) is null)
        {
            throw RosterException.Invalid("inbox.time_zone", wanted.TimeZone, $"'{Core.Refusal.Cut(wanted.TimeZone)}' is no IANA zone name.");
        }

        var problems = SequenceMapping.ToCore(wanted, NodaTime.DateTimeZone.Utc).Limits.Check();
        if (problems.Count > 0)
        {
            throw RosterException.Invalid("inbox", wanted.User, string.Join(" ", problems));
        }

        wanted.EnrolledToday = 0;
        wanted.EmailsIn24H = 0;
        lock (_gate)
        {
            if (!_inboxes.ContainsKey(wanted.User) && _inboxes.Count >= InboxesMax)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"The tenant has {InboxesMax} inboxes already.");
            }

            ChangeSchema(schema => schema.FindObjectType(SequenceLowering.InboxType) is null ? schema.WithObjectType(SequenceLowering.InboxType) : schema);
            Commit([new StoredDocument(Number, DocumentKinds.Inbox, wanted.User, new InboxDocument { Inbox = wanted }.ToByteArray())]);
            _inboxes[wanted.User] = wanted;
            Publish(_catalog.Schema);
            return wanted.Clone();
        }
    }

    /// <summary>Reads the inbox of a user; what it has sent is the caller's to fill.</summary>
    public Inbox GetInbox(string user)
    {
        lock (_gate)
        {
            return FindInbox(user).Clone();
        }
    }

    /// <summary>Lists inboxes by user.</summary>
    public ListInboxesResponse ListInboxes(ListInboxesRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var size = request.PageSize is 0 ? 100 : Math.Clamp(request.PageSize, 1, 1_000);
        lock (_gate)
        {
            var found = _inboxes.Values.Where(i => string.CompareOrdinal(i.User, request.PageToken) > 0).Take(size + 1).Select(i => i.Clone()).ToList();
            var response = new ListInboxesResponse { Inboxes = { found.Take(size) } };
            response.NextPageToken = found.Count > size ? found[size - 1].User : string.Empty;
            return response;
        }
    }

    /// <summary>Removes the inbox of a user (SEQ-01).</summary>
    /// <param name="user">The user.</param>
    /// <param name="jobs">Plans the jobs that end enrollments of the user's sequences; their documents are in the same commit. Called under the owner's lock.</param>
    public void DeleteInbox(string user, Func<IReadOnlyList<WorkflowChange>, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        lock (_gate)
        {
            var inbox = FindInbox(user);
            var entries = _workflows.Values.Where(w => w is { IsLive: true, IsSequence: true } && w.IsOwnedBy(user)).Select(w => w.Copy()).ToList();
            var planned = jobs([.. entries.Select(e => ChangeOf(e, touches: true))]);
            Commit(
            [
                new StoredDocument(Number, DocumentKinds.Inbox, inbox.User, null),
                .. entries.Select(e => new StoredDocument(Number, DocumentKinds.Workflow, e.Id, e.Document.ToByteArray())),
                .. planned,
            ]);
            _inboxes.Remove(user);
            entries.ForEach(e => _workflows[e.Id] = e);
            Publish(_catalog.Schema);
        }
    }

    private Inbox FindInbox(string user) => _inboxes.GetValueOrDefault(user)
        ?? throw new RosterException(RosterError.NotFound, $"User '{Core.Refusal.Cut(user)}' has no inbox.");

    private WorkflowEntry FindSequence(string id) => _workflows.GetValueOrDefault(id) is { IsLive: true, IsSequence: true } entry
        ? entry
        : throw new RosterException(RosterError.NotFound, $"There is no sequence '{Core.Refusal.Cut(id)}'.");

    private IEnumerable<InboxInfo> InboxInfos(TenantSchema schema)
    {
        var zone = TimeZones.Find(schema.Settings.TimeZone) ?? NodaTime.DateTimeZone.Utc;
        return _inboxes.Values.Select(i => SequenceMapping.ToCore(i, zone));
    }
}
