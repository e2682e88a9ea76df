using System.Collections.Concurrent;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Catalog;
using Roster.Engine.Erasing;
using Roster.Engine.Operations;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Engine.Hosting;

/// <content>What jobs need of the host.</content>
public abstract partial class EngineHost
{
    /// <inheritdoc/>
    IRecordStore IJobHost.Store => _store;

    /// <inheritdoc/>
    ErasedIds IJobHost.ErasedIds => _erased;

    /// <inheritdoc/>
    ValueTask<TurnResult> IJobHost.RunTurnAsync(RecordKey key, TurnInput input, CancellationToken cancellationToken) => RunAsync(key, input, cancellationToken);

    /// <inheritdoc/>
    ValueTask<TurnResult> IJobHost.RunTurnAsync(long recordNumber, Func<RecordState, TurnInput?> input, CancellationToken cancellationToken) =>
        RunAsync(0, recordNumber, input, cancellationToken);

    /// <inheritdoc/>
    async ValueTask<string> IJobHost.FindFirstDecisionAsync(TenantOwner owner, RecordRef reference, string workflowId, string requestId, CancellationToken cancellationToken)
    {
        var response = new EnrollResponse();
        await AddFirstAnswerAsync(response, owner, new EnrollRequest { Ref = reference, WorkflowId = workflowId, RequestId = requestId }, cancellationToken).ConfigureAwait(false);
        return response.Decision == V1.Decision.Types.Code.Unspecified ? string.Empty : JournalMapping.ApiName(response.Decision.ToString());
    }

    /// <inheritdoc/>
    Task IJobHost.WhenDecidedAsync(CancellationToken cancellationToken)
    {
        var items = Array.ConvertAll(_shards, static _ => new BarrierItem());
        for (var i = 0; i < items.Length; i++)
        {
            _shards[i].Post(items[i]);
        }

        return Task.WhenAll(items.Select(i => i.Task)).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    Task IJobHost.PauseAsync(CancellationToken cancellationToken) => _options.PauseWhenOverloaded(cancellationToken);

    /// <inheritdoc/>
    Task IJobHost.GiveWayAsync(CancellationToken cancellationToken) => _backlog.Count > 0 ? _options.GiveWayToEvents(cancellationToken) : Task.CompletedTask;

    /// <inheritdoc/>
    ValueTask IJobHost.WaitForTurnAsync(TenantOwner tenant, CancellationToken cancellationToken) => Rates.WaitForBulkTurnAsync(tenant.Id, cancellationToken);


    /// <inheritdoc/>
    async Task IJobHost.CommitAsync(IReadOnlyList<StoredDocument> documents)
    {
        try
        {
            await _committer.CommitAsync(documents).ConfigureAwait(false);
        }
        catch (StoreFullException full)
        {
            throw Overloaded(full);
        }
        catch (Exception failure) when (_committer.HasFailed && failure is not RosterException)
        {
            throw new RosterException(RosterError.Unavailable, $"The store failed: {failure.Message}");
        }
    }

    /// <inheritdoc/>
    TenantOwner IJobHost.TenantOf(int number) => _tenants.Get(number);

    /// <summary>A withdrawn task that nobody had leased is reported as cancelled (UNE-07). When the process ends before, its timeout does it.</summary>
    private void Withdraw(EffectId id)
    {
        if (_isStopping)
        {
            return;
        }

        // What follows from a commit is never refused; until it is durable it holds back new events, so it does not pile up.
        Interlocked.Increment(ref _eventsInFlight);
        var task = CancelAsync(id);
        _settling[task] = true;
        _ = task.ContinueWith(done => _settling.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task CancelAsync(EffectId id)
    {
        var input = new CompletionInput(id.Enrollment, id.Step, id.Execution, StepResult.Cancelled, string.Empty, string.Empty, []);
        try
        {
            while (!_isStopping && !_committer.HasFailed && !await TryCancelAsync(id, input).ConfigureAwait(false))
            {
                await _options.PauseWhenOverloaded(CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            ReleaseInFlight(1);
        }
    }

    /// <summary>False when the store is full: it is tried again.</summary>
    private async Task<bool> TryCancelAsync(EffectId id, CompletionInput input)
    {
        var item = new TurnItem(
            0,
            default,
            default,
            id.RecordNumber,
            state => state.FindEffect(id.Enrollment, id.Step, id.Execution) is >= 0 and var index && state.OpenEffects[index].IsWithdrawn ? input : null);
        _shards[KeyHash.VirtualShard(id.RecordNumber) % _shards.Length].Post(item);
        try
        {
            await item.Task.ConfigureAwait(false);
            return true;
        }
        catch (StoreFullException)
        {
            return false;
        }
        catch (RosterException)
        {
            // The engine is stopping: the task's timeout reports it.
            return true;
        }
    }

    /// <summary>Completes when what follows from what was decided so far is done: jobs, and reports of withdrawn tasks.</summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        if (_store.IsShared)
        {
            await ResyncAsync(cancellationToken).ConfigureAwait(false);
        }

        do
        {
            await UnlessFailedAsync(_jobs.IdleAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            await UnlessFailedAsync(_messages.WhenIdleAsync(), cancellationToken).ConfigureAwait(false);
        }
        while (_jobs.IsAtWork);
        while (_settling.Keys.ToArray() is { Length: > 0 } tasks)
        {
            await UnlessFailedAsync(Task.WhenAll(tasks), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>An engine whose store has failed delivers nothing any more: who waits for it would wait for ever.</summary>
    private async Task UnlessFailedAsync(Task work, CancellationToken cancellationToken)
    {
        await Task.WhenAny(work, Failed).WaitAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfStopped();
        await work.ConfigureAwait(false);
    }

    private readonly ConcurrentDictionary<Task, bool> _settling = new();
}
