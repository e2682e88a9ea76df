using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Hashing;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Hosting;

/// <content>Running turns.</content>
internal sealed partial class Shard
{
    private enum Step
    {
        /// <summary>Done with the item at hand.</summary>
        Done,

        /// <summary>The head is not in memory.</summary>
        NotLoaded,

        /// <summary>Sections are missing.</summary>
        NeedsSections,

        /// <summary>The open batch is full.</summary>
        NoRoom,
    }

    private RecordKey _checkedKey;
    private int _sectionsSince;
    private SectionKind _missingKind;
    private int[]? _missingSections;
    private long _missingRecord;

    private async Task RunSliceAsync(EventSlice slice)
    {
        var failures = _failures;
        var loadMax = LoadMax;
        while (true)
        {
            await LoadMissingAsync(slice, loadMax).ConfigureAwait(false);
            var done = slice.Done;
            var isDone = false;
            Step step;
            lock (_gate)
            {
                if (failures != _failures)
                {
                    // What ran before is gone: to run only the rest would change the order of a record's events.
                    _running = null;
                    Finish(slice, failures);
                    return;
                }

                _running = slice;
                _measures.Begin();
                step = RunEvents(slice);
                if (slice.Done == slice.Indexes.Length)
                {
                    // Once it is finished it may be taken back at any time: it is not looked at any more.
                    isDone = true;
                    _running = null;
                    slice.Batch.CountRefused(slice, _open.Turns);
                    Finish(slice, failures);
                }
            }

            _signalCommitter();
            if (isDone)
            {
                slice.SetDecided();
                return;
            }

            // Without progress the cache is too small for all that was loaded at once.
            loadMax = slice.Done > done ? LoadMax : Math.Max(1, loadMax / 8);
            await PrepareAsync(step).ConfigureAwait(false);
        }
    }

    /// <summary>Runs events until the slice is done, something is missing, or the open batch is full.</summary>
    private Step RunEvents(EventSlice slice)
    {
        var now = Now;
        while (slice.Done < slice.Indexes.Length && HasRoom)
        {
            var index = slice.Indexes[slice.Done];
            ref readonly var admitted = ref slice.Batch.Event(index);
            var slot = _cache.Find(slice.Batch.Hash(index));
            if (slot < 0)
            {
                return Step.NotLoaded;
            }

            if (RunInput(slot, admitted.Key, admitted.Input, now, out var result) is var step && step != Step.Done)
            {
                return step;
            }

            slice.Batch.AddResult(index, result);
            slice.Done++;
        }

        return Step.Done;
    }

    private async Task PrepareAsync(Step step)
    {
        if (step == Step.NeedsSections)
        {
            await LoadSectionsAsync().ConfigureAwait(false);
        }

        await WaitForRoomAsync().ConfigureAwait(false);
    }

    private async Task RunTurnAsync(TurnItem item)
    {
        while (true)
        {
            await LoadAsync(item.Key, item.Hash, item.Number).ConfigureAwait(false);
            Step step;
            lock (_gate)
            {
                _measures.Begin();
                step = RunTurn(item);
                if (step == Step.Done)
                {
                    Finish(item, _failures);
                }
            }

            _signalCommitter();
            if (step == Step.Done)
            {
                return;
            }

            await PrepareAsync(step).ConfigureAwait(false);
        }
    }

    private Step RunTurn(TurnItem item)
    {
        var slot = item.Number != 0 ? _cache.Find(item.Number) : _cache.Find(item.Hash);
        if (slot < 0)
        {
            // By number it must exist; by key it was just put in, but may have been evicted again.
            item.Result = new TurnResult(TurnStatus.Nothing);
            return item.Number != 0 ? Step.Done : Step.NotLoaded;
        }

        if (item.FailuresExpected >= 0 && item.FailuresExpected != _failures)
        {
            throw new StoreFullException("A commit failed before it: what it follows must come first.");
        }

        LoadState(slot, item.Key);
        if (item.Input(_state) is not { } input)
        {
            Check(slot, _state.TurnId);
            item.Result = new TurnResult(TurnStatus.Nothing);
            return Step.Done;
        }

        var now = Now;
        var step = RunInput(slot, item.Key, input, item.NotBefore > now ? item.NotBefore : now, out var result);
        item.Result = result;
        return step;
    }

    private void CountInternal(int tenant) =>
        _open.Turns.Count(new CounterKey(tenant, 0, 0, CounterKind.RefusedInput, 0, (int)RefusalReason.Internal), 1);

    /// <summary>Runs the record's due timers, then the input, each as its own turn (ENG-04).</summary>
    private Step RunInput(int slot, RecordKey key, TurnInput input, Timestamp now, out TurnResult result)
    {
        result = default;
        LoadState(slot, key);
        var catalog = CatalogOf(_state.Tenant);
        try
        {
            if (FireDue(slot, catalog, now, now) is var timers && timers != Step.Done)
            {
                return timers;
            }

            result = RunOne(slot, input, catalog, now);
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            // A bug in a turn stops this input, not its neighbours; the state in the cache is the one before it.
            CountInternal(catalog.Tenant);
            result = new TurnResult(TurnStatus.Refused, new Refusal(
                RefusalReason.Internal, string.Empty, string.Empty, $"The turn failed: {bug.GetType().Name}: {bug.Message}"));
        }

        return result.Status == TurnStatus.NeedsSections ? Step.NeedsSections : Step.Done;
    }

    /// <summary>Runs timers due at or before an instant. Each runs at <paramref name="now"/>, or at its own instant when that is none.</summary>
    private Step FireDue(int slot, TenantCatalog catalog, Timestamp asOf, Timestamp now)
    {
        while (_state.NextDueAt is var due && !due.IsNone && due <= asOf)
        {
            if (!HasRoom)
            {
                return Step.NoRoom;
            }

            var result = RunOne(slot, TimerInput.Instance, catalog, now.IsNone ? due : now);
            if (result.Status == TurnStatus.NeedsSections)
            {
                return Step.NeedsSections;
            }

            if (result.Status != TurnStatus.Applied)
            {
                break;
            }

            _measures.OnTimerFired(catalog.Tenant, due, now.IsNone ? due : now);
        }

        return Step.Done;
    }

    private TurnResult RunOne(int slot, TurnInput input, TenantCatalog catalog, Timestamp now)
    {
        _beforeTurn?.Invoke(_state);
        var before = _state.TurnId;
        var result = _runner.Run(_state, input, catalog, now, _open);
        _measures.OnTurn(catalog.Tenant);
        if (result.Status == TurnStatus.Applied)
        {
            _cache.Change(slot, _runner.Head.Written);
            _open.Slots.Add(slot);
            KeepSections();
        }
        else if (result.Status == TurnStatus.NeedsSections)
        {
            _missingKind = result.Missing;
            _missingSections = result.MissingSections;
            _missingRecord = _cache.Number(slot);
        }

        if (_isShared && result.Status is not (TurnStatus.Applied or TurnStatus.NeedsSections))
        {
            Check(slot, before);
        }

        return result;
    }

    /// <summary>An answer without a turn holds only if the state is the newest one; where others write too, the store is asked.</summary>
    private void Check(int slot, ulong turnId)
    {
        if (_isShared)
        {
            _open.Turns.Checks.Add(new StateCheck(_cache.Number(slot), turnId, turnId == 0 ? _checkedKey : default));
        }
    }

    private void LoadState(int slot, RecordKey key)
    {
        var head = _cache.Head(slot);
        if (head.IsEmpty)
        {
            _state.Reset(key, _cache.Number(slot));
            _checkedKey = key;
            return;
        }

        _state.Load(head);
        if (_sectionsSince != _failures)
        {
            // A failed commit took sections back; their numbers are given again.
            _sections.Clear();
            _sectionBytes = 0;
            _sectionsSince = _failures;
        }

        if (_sections.Count > 0 && _sections.TryGetValue(_state.Number, out var sections))
        {
            foreach (var (index, content) in sections)
            {
                _state.AddSection(index, content);
            }
        }
    }

    /// <summary>What is counted is what was put in: an upper bound of what is there.</summary>
    private void ForgetSectionsIfMany()
    {
        if (_sectionBytes > SectionBytesMax || _sections.Count > 256)
        {
            _sections.Clear();
            _sectionBytes = 0;
        }
    }

    /// <summary>What the turn wrote of a record whose sections are at hand is at hand too, without waiting for its commit.</summary>
    private void KeepSections()
    {
        if (_state.SectionWrites.Count == 0 || !_sections.TryGetValue(_state.Number, out var sections))
        {
            return;
        }

        foreach (var write in _state.SectionWrites)
        {
            if (write.Content is null)
            {
                sections.Remove(write.Index);
            }
            else
            {
                sections[write.Index] = write.Content;
                _sectionBytes += write.Content.Length;
            }
        }

        ForgetSectionsIfMany();
    }

    private TenantCatalog CatalogOf(int tenant)
    {
        var owner = _tenants.Get(tenant);
        if (_isShared)
        {
            // The version first: a catalog that is newer than it is no harm.
            _open.Turns.NoteDecidedOn(tenant, owner.StoredVersion);
            _open.Turns.NoteDecidedOn(0, _tenants.StoredVersion);
        }

        return owner.Catalog;
    }
}
