using Roster.Engine.Stores;

namespace Roster.Engine.Operations;

/// <summary>
/// Reads all records of a store chunk by chunk, each while the one before is being judged. A record that changes in between has had a live turn, by
/// the catalog that the scan is about.
/// </summary>
/// <remarks>Used by one caller at a time.</remarks>
internal sealed class ScanReader(IRecordStore store, int chunkMax)
{
    private Task<IReadOnlyList<LoadedRecord>>? _next;
    private long _nextAfter;

    /// <summary>Records with a number above one, in the order of numbers; empty at the end.</summary>
    public async Task<IReadOnlyList<LoadedRecord>> ReadAsync(long after, CancellationToken cancellationToken)
    {
        var reading = _next is not null && _nextAfter == after ? _next : Begin(after, cancellationToken);
        _next = null;
        var chunk = await reading.ConfigureAwait(false);
        if (chunk.Count == chunkMax)
        {
            _nextAfter = chunk[^1].Number;
            _next = Begin(_nextAfter, cancellationToken);

            // Nobody may come for it any more.
            _ = _next.ContinueWith(static read => read.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }

        return chunk;
    }

    // Stores may read on the thread of the caller.
    private Task<IReadOnlyList<LoadedRecord>> Begin(long after, CancellationToken cancellationToken) =>
        Task.Run(() => store.ScanRecordsAsync(after, chunkMax, cancellationToken).AsTask(), cancellationToken);
}
