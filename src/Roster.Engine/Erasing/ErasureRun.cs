using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Engine.Messages;
using Roster.Engine.Operations;
using Roster.Engine.Reading;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Erasing;

/// <summary>
/// What is left to do after the turn that erased a record (REC-17). Each step looks at what is stored, so that all of it can be done again from
/// the start after a crash. The record itself keeps its id for it until the last turn: a job has no personal data.
/// </summary>
internal sealed class ErasureRun
{
    private const int PageMax = 500;
    private const int RewriteTurnsMax = 2_000;
    private const int RewriteBytesMax = 4 << 20;

    private readonly IJobHost _host;
    private readonly long _number;
    private readonly HashSet<RecordKey> _others = [];
    private readonly List<RewrittenTurn> _rewritten = [];
    private int _rewrittenBytes;
    private long _collected;

    public ErasureRun(IJobHost host, long number) => (_host, _number) = (host, number);

    private IRecordStore Store => _host.Store;

    /// <summary>
    /// Waits until all who are linked to the record have been told, and it has been told who names it otherwise. Returns its key and its latest
    /// turn by then. Null when its last turn is over: nothing but scrubbing is left.
    /// </summary>
    public async Task<(RecordKey Key, ulong TurnId)?> WaitUntilToldAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = await LoadAsync(cancellationToken).ConfigureAwait(false);
            if (state.Gone != GoneKind.Erased || state.IsIdErased)
            {
                return null;
            }

            var key = new RecordKey(state.Tenant, state.ObjectType, state.Id);
            if (state.Spreading == Spreading.None && !await HasOpenMessagesAsync(key, cancellationToken).ConfigureAwait(false))
            {
                return (key, state.TurnId);
            }

            await _host.WhenDeliveredAsync(key.Tenant, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Takes the record out of the journals of others and empties its own. The key is renamed last of all: until then the record is found
    /// under its id.
    /// </summary>
    public async Task EmptyJournalsAsync(RecordKey key, ErasedIds ids, string requestId, CancellationToken cancellationToken)
    {
        await CollectOthersAsync(key, requestId, cancellationToken).ConfigureAwait(false);
        var mask = new TurnMask(key, ids.MaskOf(key));
        foreach (var other in _others.Where(o => o != key))
        {
            await MaskAsync(mask, key, other, cancellationToken).ConfigureAwait(false);
        }

        await foreach (var turn in ReadTurnsAsync(_number, cancellationToken).ConfigureAwait(false))
        {
            // What came since says who names the record too, and has not been looked at.
            if (turn.Position <= _collected)
            {
                await AddAsync(new RewrittenTurn(turn.Position, default), cancellationToken).ConfigureAwait(false);
            }
        }

        await RewriteAsync(new RenamedKey(key, ids.Of(key)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes id and links from the record itself, unless it has heard of another one that names it since the turn of an id.</summary>
    public async Task FinishAsync(ulong turnId, CancellationToken cancellationToken)
    {
        while (await LoadAsync(cancellationToken).ConfigureAwait(false) is { IsIdErased: false } state && state.TurnId == turnId)
        {
            var result = await _host.RunTurnAsync(_number, s => s.TurnId == turnId ? FinishErasureInput.Instance : null, cancellationToken).ConfigureAwait(false);
            if (result.Status != TurnStatus.Applied)
            {
                await _host.PauseAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private Task<RecordState> LoadAsync(CancellationToken cancellationToken) => LoadAsync(_number, cancellationToken);

    private async Task<RecordState> LoadAsync(long number, CancellationToken cancellationToken)
    {
        var state = new RecordState();
        state.Load((await Store.LoadAsync(number, cancellationToken).ConfigureAwait(false)).Head.Span);
        return state;
    }

    private async Task<bool> HasOpenMessagesAsync(RecordKey key, CancellationToken cancellationToken)
    {
        var after = 0L;
        while (await Store.ReadEffectsAsync(key.Tenant, MessageCodec.Queue, after, PageMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            foreach (var effect in page)
            {
                var message = MessageCodec.Unpack(effect.Task);
                if ((message.ToType == key.ObjectType && message.ToId == key.Id) || (message.FromType == key.ObjectType && message.FromId == key.Id)
                    || (message.Kind == MessageKind.Inherit && message.Fields.Any(f => f.Value.Text == key.Id)))
                {
                    // Who sent it has it in its journal, whether it is delivered or comes back.
                    _others.Add(new RecordKey(key.Tenant, message.FromType, message.FromId));
                    return true;
                }
            }

            after = page[^1].Sequence;
        }

        return false;
    }

    /// <summary>
    /// All whom the record is linked to, and all whom its journal names. Those that were merged into it are the same to the outside: they name
    /// it, and are erased too.
    /// </summary>
    private async Task CollectOthersAsync(RecordKey key, string requestId, CancellationToken cancellationToken)
    {
        await CollectLinksAsync(_number, _others, cancellationToken).ConfigureAwait(false);
        var absorbed = new HashSet<RecordKey>();
        await foreach (var turn in ReadTurnsAsync(_number, cancellationToken).ConfigureAwait(false))
        {
            _collected = Math.Max(_collected, turn.Position);
            foreach (var entry in TurnDecoder.Decode(turn).Entries)
            {
                if (TurnMask.OtherOf(entry, key) is { } other)
                {
                    _others.Add(other);
                    _ = entry.Kind == EntryKind.RecordAbsorbed && absorbed.Add(other);
                }
            }
        }

        foreach (var via in _others.Where(o => StandardObjectTypes.IsToldOn(o.ObjectType, key.ObjectType)).ToList())
        {
            await CollectToldAsync(via, key, cancellationToken).ConfigureAwait(false);
        }

        foreach (var other in absorbed)
        {
            await _host.RunTurnAsync(other, new CommandInput(CommandKind.Erase, 0, requestId, requestId), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Those whom a linked record told what it kept of this one (ASC-03). By now it keeps nothing of it; it is waited for until all of them have
    /// been told that.
    /// </summary>
    private async Task CollectToldAsync(RecordKey via, RecordKey key, CancellationToken cancellationToken)
    {
        var loaded = new List<LoadedRecord>();
        await Store.LoadAsync([via], loaded, cancellationToken).ConfigureAwait(false);
        if (!loaded[0].Found)
        {
            return;
        }

        var number = loaded[0].Number;
        do
        {
            await _host.WhenDeliveredAsync(key.Tenant, cancellationToken).ConfigureAwait(false);
        }
        while ((await LoadAsync(number, cancellationToken).ConfigureAwait(false)).Spreading != Spreading.None);

        var told = new HashSet<RecordKey>();
        await CollectLinksAsync(number, told, cancellationToken).ConfigureAwait(false);
        await foreach (var turn in ReadTurnsAsync(number, cancellationToken).ConfigureAwait(false))
        {
            told.UnionWith(TurnDecoder.Decode(turn).Entries.Select(e => TurnMask.OtherOf(e, via)).OfType<RecordKey>());
        }

        _others.UnionWith(told.Where(t => StandardObjectTypes.IsReachable(t.ObjectType, via.ObjectType, key.ObjectType)));
    }

    private async Task CollectLinksAsync(long number, HashSet<RecordKey> found, CancellationToken cancellationToken)
    {
        var state = await LoadAsync(number, cancellationToken).ConfigureAwait(false);
        var cursor = 0UL;
        do
        {
            if (!await AssociationReader.LoadAsync(Store, state, cursor, cancellationToken).ConfigureAwait(false))
            {
                throw new StoreCorruptException($"A section of the links of record {number} is named by its head but not stored.");
            }

            var (links, next) = state.ReadAssociations(cursor);
            found.UnionWith(links.Select(l => new RecordKey(state.Tenant, l.ObjectType, l.Id)));
            cursor = next;
        }
        while (cursor != 0);
    }

    private async Task MaskAsync(TurnMask mask, RecordKey key, RecordKey other, CancellationToken cancellationToken)
    {
        var loaded = new List<LoadedRecord>();
        await Store.LoadAsync([other], loaded, cancellationToken).ConfigureAwait(false);
        if (!loaded[0].Found)
        {
            // It never came to be, or it was erased, and its journal emptied.
            return;
        }

        // Those that are linked have been told. Others were linked before, and no section in force may name it when the journal is masked.
        while ((await _host.RunTurnAsync(loaded[0].Number, _ => new ForgetInput(key.ObjectType, key.Id), cancellationToken).ConfigureAwait(false)).Status
            is not (TurnStatus.Applied or TurnStatus.Nothing))
        {
            await _host.PauseAsync(cancellationToken).ConfigureAwait(false);
        }

        await foreach (var turn in ReadTurnsAsync(loaded[0].Number, cancellationToken).ConfigureAwait(false))
        {
            if (mask.Rewrite(turn) is { } rewritten)
            {
                await AddAsync(rewritten, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task AddAsync(RewrittenTurn turn, CancellationToken cancellationToken)
    {
        _rewritten.Add(turn);
        _rewrittenBytes += turn.Payload.Length;
        if (_rewritten.Count >= RewriteTurnsMax || _rewrittenBytes >= RewriteBytesMax)
        {
            await RewriteAsync(null, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RewriteAsync(RenamedKey? key, CancellationToken cancellationToken)
    {
        if (_rewritten.Count > 0 || key is not null)
        {
            await Store.EraseAsync(new Erasure([.. _rewritten], key), cancellationToken).ConfigureAwait(false);
            _rewritten.Clear();
            _rewrittenBytes = 0;
        }
    }

    private async IAsyncEnumerable<StoredTurn> ReadTurnsAsync(
        long number, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var before = 0L;
        while (await Store.ReadTimelineAsync(number, before, PageMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            foreach (var turn in page)
            {
                yield return turn;
            }

            before = page[^1].Position;
        }
    }
}
