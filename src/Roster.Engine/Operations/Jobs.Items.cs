using Roster.Core;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;
using Decision = Roster.Core.Journal.Decision;

namespace Roster.Engine.Operations;

/// <content>The items of a job: named records, or all records of the store.</content>
public sealed partial class Jobs
{
    private async Task<bool> RunRefsAsync(TenantOwner owner, Job job)
    {
        int from;
        IReadOnlyList<RecordRef> refs;
        lock (job)
        {
            (from, refs) = ((int)job.Document.Operation.Done, job.Refs);
            if (IsOver(job, from >= refs.Count))
            {
                return false;
            }
        }

        var chunk = Math.Min(ChunkMax, refs.Count - from);
        var turns = new List<Task<string>>(chunk);
        for (var i = from; i < from + chunk; i++)
        {
            await WaitForTurnAsync(owner).ConfigureAwait(false);
            turns.Add(RunRefAsync(owner, job.Document, refs[i], i));
        }

        var names = await Task.WhenAll(turns).ConfigureAwait(false);
        lock (job)
        {
            job.Document.Operation.Done += chunk;
            foreach (var name in names)
            {
                Count(job.Document.Operation, name);
            }
        }

        return true;
    }

    private async Task<string> RunRefAsync(TenantOwner owner, OperationDocument job, RecordRef reference, int index)
    {
        if (EventReader.TryRead(reference, owner, out var key) is { } refusal)
        {
            return JournalMapping.ApiName(refusal.Reason.ToString());
        }

        var requestId = $"{job.Operation.Id}/{index}";
        var number = owner.FindWorkflowNumber(job.WorkflowId);
        var kind = job.Operation.Kind == JobKinds.BulkEnroll ? CommandKind.Enroll : CommandKind.Unenroll;
        var result = await _host.RunTurnAsync(key, new CommandInput(kind, number, requestId, CallerOf(job), TriggerKind.Bulk), _stop.Token).ConfigureAwait(false);
        if (result.Status != TurnStatus.Duplicate || kind != CommandKind.Enroll)
        {
            return NameOf(result);
        }

        // Done before a restart: it counts as what it was decided then.
        var first = await _host.FindFirstDecisionAsync(owner, reference, job.WorkflowId, requestId, _stop.Token).ConfigureAwait(false);
        return first.Length > 0 ? first : NameOf(result);
    }

    private static string NameOf(in TurnResult result) => result.Status switch
    {
        TurnStatus.Refused => JournalMapping.ApiName(result.Refusal!.Reason.ToString()),
        TurnStatus.Applied when result.Decision != Decision.None => JournalMapping.ApiName(result.Decision.ToString()),
        TurnStatus.Applied => "DONE",
        TurnStatus.Duplicate or TurnStatus.Mismatch => "DONE",
        _ => "NOTHING_TO_DO",
    };

    /// <summary>A chunk of all records, in the order of their numbers. A read of the state decides who gets a turn at all (ENR-02).</summary>
    private async Task<bool> RunScanAsync(TenantOwner owner, Job job)
    {
        long cursor;
        lock (job)
        {
            cursor = job.Document.Cursor;
            if (IsOver(job, isDone: false))
            {
                return false;
            }
        }

        var plan = new ScanPlan(owner, job.Document, Now);
        var chunk = plan.IsEmpty ? [] : await (job.Scan ??= new ScanReader(_host.Store, ChunkMax)).ReadAsync(cursor, _stop.Token).ConfigureAwait(false);
        if (chunk.Count == 0)
        {
            lock (job)
            {
                IsOver(job, isDone: true);
            }

            return false;
        }

        var state = new RecordState();
        var turns = new List<Task<string>>();
        var scanned = 0;
        foreach (var record in chunk)
        {
            state.Load(record.Head.Span);
            scanned += plan.Concerns(state) ? 1 : 0;
            if (plan.Concerns(state) && await plan.NeedsTurnAsync(state, _host.Store, _stop.Token).ConfigureAwait(false))
            {
                await WaitForTurnAsync(owner).ConfigureAwait(false);
                turns.Add(RunScannedAsync(record.Number, plan));
            }
        }

        var names = await Task.WhenAll(turns).ConfigureAwait(false);
        lock (job)
        {
            job.Document.Cursor = chunk[^1].Number;
            job.Document.Operation.Done += scanned;
            foreach (var name in names.Concat(Enumerable.Repeat("NOT_CONCERNED", scanned - names.Length)))
            {
                Count(job.Document.Operation, name);
            }
        }

        return true;
    }

    private async Task<string> RunScannedAsync(long number, ScanPlan plan) => NameOf(await _host.RunTurnAsync(number, plan.ToInput, _stop.Token).ConfigureAwait(false));

    /// <summary>Counts who meets criteria, without a turn.</summary>
    public async Task<PreviewEnrollmentResponse> PreviewAsync(TenantOwner owner, PreviewEnrollmentRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        var preview = owner.PreviewOf(request);
        var response = new PreviewEnrollmentResponse();
        var state = new RecordState();
        var cursor = 0L;
        var scan = new ScanReader(_host.Store, ChunkMax);
        while (await scan.ReadAsync(cursor, cancellationToken).ConfigureAwait(false) is { Count: > 0 } chunk)
        {
            foreach (var record in chunk)
            {
                state.Load(record.Head.Span);
                if (state.Tenant != owner.Number || state.ObjectType != preview.ObjectType || !state.IsLive)
                {
                    continue;
                }

                response.Records++;
                await ScanPlan.LoadSectionsAsync(state, preview.Criteria, _host.Store, cancellationToken).ConfigureAwait(false);
                if (preview.Criteria.Accepts(new Judging(state, Now)))
                {
                    response.Matching++;
                    response.EnrolledBefore += preview.Workflow != 0 && state.TryGetSummary(preview.Workflow, out var summary) && summary.TimesEnrolled > 0 ? 1 : 0;
                }
            }

            cursor = chunk[^1].Number;
        }

        return response;
    }
}
