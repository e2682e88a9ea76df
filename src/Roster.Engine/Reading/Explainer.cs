using Roster.Core;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Operations;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using Decision = Roster.Core.Journal.Decision;

namespace Roster.Engine.Reading;

/// <summary>Why a record would be enrolled or not, as readers see it (HIS-07): the rules' answer, with names and the entry that decided. One per call.</summary>
/// <param name="store">Sections and the journal.</param>
/// <param name="owner">The tenant.</param>
/// <param name="clock">The engine's clock.</param>
public sealed class Explainer(IRecordStore store, TenantOwner owner, TimeProvider clock)
{
    /// <summary>Turns of the record that are looked at for the latest decision.</summary>
    public const int TurnsMax = 2_000;

    private const int ChunkMax = 200;

    /// <summary>Explains. Nothing is changed.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="state">The record that the request names, loaded; null when it does not exist.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RosterException">The object type or the workflow does not exist, the definition does not compile, or the record changed meanwhile.</exception>
    public async Task<Explanation> ExplainAsync(ExplainRequest request, RecordState? state, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var workflow = Compile(request);
        var exists = state is not null;
        state ??= Unborn(request.Ref);
        await LoadSectionsAsync(state, workflow, cancellationToken).ConfigureAwait(false);
        var now = clock.Now();
        var explained = new Turn().Explain(state, workflow, owner.Catalog, now);
        var wire = ToWire(explained, workflow);
        wire.Ref = request.Ref.Clone();
        wire.RecordExists = state.IsLive;
        if (exists)
        {
            var record = RecordReader.Read(state, owner);
            wire.Active = record.Enrollments.FirstOrDefault(e => e.WorkflowId == request.WorkflowId);
            wire.History = record.Summaries.FirstOrDefault(s => s.WorkflowId == request.WorkflowId);
            wire.LastDecision = await FindLastDecisionAsync(state.Number, workflow.Number, request.WorkflowId, cancellationToken).ConfigureAwait(false);
        }

        wire.Summary = Summarize(wire, explained);
        return wire;
    }

    private CompiledWorkflow Compile(ExplainRequest request) =>
        owner.CompileFor(request.WorkflowId, request.Version, out var problems)
        ?? throw new RosterException(
            RosterError.FailedPrecondition,
            $"Workflow '{request.WorkflowId}' does not compile: {problems[0].Path}: {problems[0].Message}",
            problems: [.. problems.Select(WorkflowMapping.ToWire)]);

    /// <summary>A record that does not exist is explained as one without values.</summary>
    private RecordState Unborn(RecordRef? reference)
    {
        if (reference is null || reference.RecordId.Length == 0)
        {
            throw RosterException.Invalid("ref", string.Empty, "The record is missing: ref names its object type and id.");
        }

        var type = owner.Catalog.Schema.FindObjectType(reference.ObjectType)
            ?? throw new RosterException(RosterError.NotFound, $"There is no object type '{Core.Refusal.Cut(reference.ObjectType)}'.");
        if (System.Text.Encoding.UTF8.GetByteCount(reference.RecordId) > RecordKey.IdBytesMax)
        {
            throw RosterException.Invalid("ref.record_id", reference.RecordId, $"A record id has at most {RecordKey.IdBytesMax} bytes.");
        }

        var state = new RecordState();
        state.Reset(new RecordKey(owner.Number, type.Number, reference.RecordId), 0);
        return state;
    }

    private async Task LoadSectionsAsync(RecordState state, CompiledWorkflow workflow, CancellationToken cancellationToken)
    {
        if (!await ScanPlan.LoadSectionsAsync(state, workflow.NeedsHistory, workflow.NeedsEvents, workflow.NeedsCopies, store, cancellationToken).ConfigureAwait(false))
        {
            throw new RosterException(RosterError.RevisionConflict, "The record changed while it was read. Ask again.");
        }
    }

    /// <summary>The newest decision, or end, on this record and workflow; null when there is none in the newest <see cref="TurnsMax"/> turns.</summary>
    private async Task<EnrollmentHistoryEntry?> FindLastDecisionAsync(long record, int workflow, string workflowId, CancellationToken cancellationToken)
    {
        var before = 0L;
        for (var seen = 0; seen < TurnsMax;)
        {
            var turns = await store.ReadTimelineAsync(record, before, Math.Min(ChunkMax, TurnsMax - seen), cancellationToken).ConfigureAwait(false);
            foreach (var turn in turns)
            {
                // Texts are read only of the turn that is wanted.
                if (Concerns(turn, workflow))
                {
                    var entries = await new JournalReader(store).ToWireAsync(turn, owner, cancellationToken).ConfigureAwait(false);
                    return EnrollmentEntries.Of(entries, workflowId).FirstOrDefault();
                }
            }

            if (turns.Count == 0 || turns[^1].Previous <= 0)
            {
                return null;
            }

            seen += turns.Count;
            before = turns[^1].Position;
        }

        return null;
    }

    private static bool Concerns(StoredTurn turn, int workflow)
    {
        var entries = new List<Core.Journal.JournalEntry>();
        TurnDecoder.ReadSkeleton(turn.Skeleton.Span, entries);
        return entries.Exists(e => e.Workflow == workflow && e.Kind is EntryKind.Enrolled or EntryKind.EnrollmentRefused or EntryKind.EnrollmentEnded);
    }

    private static Explanation ToWire(EnrollmentExplanation explained, CompiledWorkflow workflow) => new()
    {
        WorkflowId = workflow.Identity.Id,
        Version = workflow.Version,
        WorkflowState = workflow.Identity.State.ToString().ToLowerInvariant(),
        At = ValueMapping.ToWire(explained.At),
        DecisionByHand = ToWire(explained.DecisionByHand),
        Decision = ToWire(explained.Decision),
        Checks = { explained.Checks.Select(c => new ExplainedCheck { Decision = ToWire(c.Decision), Passes = c.Passes, Found = c.Found }) },
        Criteria = explained.Start.Count == 0 ? null : StartToWire(explained),
        UnenrollWhen = explained.UnenrollWhen is null ? null : ToWire(explained.UnenrollWhen),
        Goals = { explained.Goals.Select(g => new ExplainedGoal { GoalId = g.Id, Exit = g.IsExit, Counted = g.IsCounted, Criteria = ToWire(g.Criteria) }) },
        ReenrollWhen = { explained.ReenrollWhen.Select(ToWire) },
        EventTriggers = { explained.EventTriggers },
        SmallestChange = { explained.SmallestChange },
    };

    private static V1.Decision.Types.Code ToWire(Decision decision) => (V1.Decision.Types.Code)(int)decision;

    /// <summary>The "only if" of several event triggers are one tree: any of them is enough, and a trigger without one needs none.</summary>
    private static ExplainedCriteria StartToWire(EnrollmentExplanation explained)
    {
        var parts = explained.Start.Select(ToWire).ToList();
        var holds = parts.Exists(p => p.Holds) || explained.EventTriggers.Count > parts.Count;
        return new ExplainedCriteria { Holds = holds, Groups = { parts.SelectMany(p => p.Groups) }, FirstFailing = holds ? string.Empty : parts[0].FirstFailing };
    }

    private static ExplainedCriteria ToWire(PlacedCriteria placed)
    {
        var criteria = new ExplainedCriteria { Holds = placed.Criteria.Accepts };
        foreach (var group in placed.Criteria.Groups)
        {
            criteria.Groups.Add(new ExplainedGroup
            {
                Accepts = group.Accepts,
                Match = JournalMapping.ApiName(group.Match.ToString()),
                Filters = { group.Filters.Select(f => new ExplainedFilter { Path = PathOf(f), Test = f.Test, Actual = f.Actual, Accepts = f.Accepts }) },
            });
        }

        criteria.FirstFailing = placed.Criteria.FirstFailing is { } failing ? PathOf(failing) : string.Empty;
        return criteria;

        string PathOf(FilterExplanation filter) => $"{placed.Path}.{filter.Path}";
    }

    private static string Summarize(Explanation wire, EnrollmentExplanation explained)
    {
        var record = $"{wire.Ref.ObjectType}/{wire.Ref.RecordId}";
        var which = wire.Version == 0 ? $"the draft of {wire.WorkflowId}" : wire.WorkflowId;
        if (explained.Decision == Decision.Enrolled)
        {
            var missing = explained.SmallestChange.Count == 0 ? string.Empty : $", but for this: {string.Join("; ", explained.SmallestChange)}";
            return $"Every check lets {record} into {which}{missing}.";
        }

        var failed = explained.Checks.First(c => !c.Passes);
        var byHand = explained.DecisionByHand == Decision.Enrolled ? "; by hand it would be enrolled"
            : explained.DecisionByHand == explained.Decision ? "; by hand neither"
            : $"; by hand it would be {NameOf(explained.DecisionByHand)}";
        var change = explained.IsPossible ? string.Empty : ", and no change of the record can enroll it";
        return $"{record} would not be enrolled in {which}: {NameOf(explained.Decision)}, {failed.Found.TrimEnd('.')}{byHand}{change}.";
    }

    private static string NameOf(Decision decision) => JournalMapping.ApiName(decision.ToString());
}
