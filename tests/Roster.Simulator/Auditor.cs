using Roster.Embedded;
using Roster.Protocol.Mapping;
using Roster.Simulator.Reference;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;
using Values = Roster.Simulator.Reference.Values;
using WireTimestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Simulator;

/// <summary>Judges the engine at a quiet moment: against its own journal, against the model, and by what must hold for every journal.</summary>
internal sealed class Auditor(EmbeddedEngine engine, Model model, IReadOnlyList<string> records, CancellationToken token)
{
    private const string Tenant = "acme";

    public async Task CheckAsync()
    {
        await VerifyAsync();
        foreach (var id in records)
        {
            await CompareAsync(id);
        }

        await CheckStatsAsync();
        await CheckJournalAsync();
    }

    private async Task VerifyAsync()
    {
        var verified = await engine.VerifyAsync(token);
        Require(verified.Differences.Count == 0, string.Join('\n', verified.Differences));
        Require(verified.StateHash == verified.ReplayHash, "The replay has another hash.");
    }

    private async Task CompareAsync(string id)
    {
        var record = await engine.GetRecordAsync(Tenant, new RecordRef { ObjectType = "contact", RecordId = id }, token);
        var expected = model.Record(id);
        Require((record is not null) == expected.Exists, $"Record {id} exists: {record is not null}, the model says otherwise.");
        if (record is null)
        {
            return;
        }

        Same(id, "created", Ms(record.CreatedAt), expected.CreatedAt);
        Same(
            id,
            "properties",
            string.Join('\n', record.Properties.Select(p => $"{p.Name}={Values.Read(p.Value)} {Ms(p.OccurredAt)} {Ms(p.UpdatedAt)}")),
            string.Join('\n', expected.Properties.Where(p => p.Value.Value is not null).Select(p => $"{p.Key}={p.Value.Value} {p.Value.OccurredAt} {p.Value.UpdatedAt}")));
        Same(
            id,
            "enrollments",
            string.Join('\n', record.Enrollments.OrderBy(e => e.Number).Select(e => $"{e.Number} {e.WorkflowId} {e.StepId} {Ms(e.DueAt)}")),
            string.Join('\n', expected.Active.OrderBy(e => e.Number).Select(e => $"{e.Number} {e.Workflow} {e.Step} {e.DueAt}")));
        Same(
            id,
            "summaries",
            string.Join('\n', record.Summaries.OrderBy(s => s.WorkflowId, StringComparer.Ordinal).Select(s => $"{s.WorkflowId} {s.TimesEnrolled} {s.Active} {(s.LastEnd == 0 ? "" : JournalMapping.ApiName(s.LastEnd.ToString()))} {Ms(s.LastEndedAt)}")),
            string.Join('\n', expected.Summaries.Select(s => $"{s.Key} {s.Value.Times} {expected.Active.Exists(e => e.Workflow == s.Key)} {s.Value.LastEnd} {s.Value.LastEndedAt}")));
    }

    /// <summary>S42: enrolled = active + ended, and the model has the same counts.</summary>
    private async Task CheckStatsAsync()
    {
        foreach (var workflow in model.Workflows)
        {
            var stats = await engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = workflow }, token);
            var summaries = model.Records.Values.Select(r => r.Summaries.GetValueOrDefault(workflow)).OfType<ModelSummary>().ToList();
            Same(workflow, "enrolled", stats.Enrolled, summaries.Sum(s => s.Times));
            Same(workflow, "records enrolled", stats.RecordsEnrolled, summaries.Count);
            Same(workflow, "completed", stats.Completed, summaries.Sum(s => s.Completed));
            Same(workflow, "active", stats.Active, model.Records.Values.Sum(r => r.Active.Count(e => e.Workflow == workflow)));
            Same(workflow, "ended", stats.Enrolled - stats.Active, stats.Completed + stats.Unenrolled.Sum(u => u.Count));
            foreach (var step in stats.Steps)
            {
                Same(workflow, $"waiting in {step.StepId}", step.Waiting, model.Records.Values.Sum(r => r.Active.Count(e => e.Workflow == workflow && e.Step == step.StepId)));
            }
        }
    }

    private async Task CheckJournalAsync()
    {
        var all = new List<JournalEntry>();
        await foreach (var page in engine.ReadJournalAsync(Tenant, new ReadJournalRequest(), token))
        {
            all.AddRange(page.Entries);
        }

        foreach (var record in all.GroupBy(e => e.Ref.RecordId))
        {
            CheckRecord(record.Key, [.. record]);
        }
    }

    private void CheckRecord(string id, List<JournalEntry> entries)
    {
        // S22: log time is monotone.
        Require(entries.Zip(entries.Skip(1)).All(p => Ms(p.First.At) <= Ms(p.Second.At)), $"Turn times of {id} fall.");
        foreach (var enrollment in entries.Where(e => e.EnrollmentNumber > 0).GroupBy(e => e.EnrollmentNumber))
        {
            CheckEnrollment($"{id}/{enrollment.Key}", [.. enrollment]);
        }

        // S9: at most one enrollment per workflow is active.
        var active = new HashSet<string>();
        foreach (var entry in entries)
        {
            Require(entry.Kind != Kind.Enrolled || active.Add(entry.WorkflowId), $"{id} is enrolled twice in {entry.WorkflowId}.");
            Require(entry.Kind != Kind.EnrollmentEnded || active.Remove(entry.WorkflowId), $"{id} left {entry.WorkflowId} without being in it.");
        }

        // S3: an id is applied once within its window.
        var day = 86_400_000L;
        foreach (var same in entries.Where(e => e.Kind is Kind.EventReceived or Kind.CommandReceived).GroupBy(e => e.EventId))
        {
            Require(same.Zip(same.Skip(1)).All(p => Ms(p.Second.At) - Ms(p.First.At) >= 7 * day), $"{id} applied {same.Key} twice.");
        }
    }

    private static void CheckEnrollment(string name, List<JournalEntry> entries)
    {
        // S10: begins once, ends at most once, and only completions of tasks, and goals that stay watched after a completion (GOAL-07), come after.
        Require(entries[0].Kind == Kind.Enrolled && entries.Count(e => e.Kind == Kind.Enrolled) == 1, $"{name} does not begin once.");
        Require(entries.Count(e => e.Kind == Kind.EnrollmentEnded) <= 1, $"{name} ends twice.");
        var end = entries.FindIndex(e => e.Kind == Kind.EnrollmentEnded);
        Require(end < 0 || entries.Skip(end + 1).All(e => e.Kind is Kind.EffectCompleted or Kind.GoalMet), $"{name} goes on after its end: {entries.Skip(end + 1).Select(e => e.Kind).FirstOrDefault(k => k is not (Kind.EffectCompleted or Kind.GoalMet))}.");

        // S14, S24, S27: one task per step run, completed at most once, and only when it was requested.
        var requested = entries.Where(e => e.Kind == Kind.EffectRequested).Select(e => (e.StepId, e.ExecutionIndex)).ToList();
        var completed = entries.Where(e => e.Kind == Kind.EffectCompleted).Select(e => (e.StepId, e.ExecutionIndex)).ToList();
        Require(requested.Distinct().Count() == requested.Count, $"{name} requested a task twice.");
        Require(completed.Distinct().Count() == completed.Count && !completed.Except(requested).Any(), $"{name} completed a task twice or one that was not requested.");

        // S18 to S20: a delay ends once, at its instant, and not after the enrollment.
        JournalEntry? waiting = null;
        foreach (var entry in entries)
        {
            if (entry.Kind == Kind.StepEntered)
            {
                Require(waiting is null, $"{name} enters {entry.StepId} while it waits in {waiting?.StepId}.");
                waiting = entry.DueAt is null ? null : entry;
            }
            else if (entry.Kind == Kind.StepFinished && waiting is not null)
            {
                Require(entry.StepId == waiting.StepId && Ms(entry.At) == Ms(waiting.DueAt), $"{name} leaves {entry.StepId} at {entry.At}, it was due at {waiting.DueAt}.");
                waiting = null;
            }
        }
    }

    private static long Ms(WireTimestamp? at) => at is null ? 0 : (at.Seconds * 1000) + (at.Nanos / 1_000_000);

    private static void Same<T>(string about, string what, T actual, T expected) =>
        Require(Equals(actual, expected), $"{about}: {what} is\n{actual}\nthe model says\n{expected}");

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
