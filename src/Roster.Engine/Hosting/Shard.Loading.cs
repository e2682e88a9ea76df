using Roster.Core;
using Roster.Core.Hashing;
using Roster.Core.Records;
using Roster.Engine.Stores;

namespace Roster.Engine.Hosting;

/// <content>Loading: reads come in batches, outside the gate.</content>
internal sealed partial class Shard
{
    /// <summary>Heads loaded at a time, so that those loaded first are not evicted by those loaded last.</summary>
    private const int LoadMax = 1_024;

    private async Task LoadMissingAsync(EventSlice slice, int max)
    {
        _missingKeys.Clear();
        _missingHashes.Clear();
        lock (_gate)
        {
            for (var i = slice.Done; i < slice.Indexes.Length && _missingKeys.Count < max; i++)
            {
                var hash = slice.Batch.Hash(slice.Indexes[i]);
                if (_cache.Find(hash) < 0 && !_missingHashes.Contains(hash))
                {
                    _missingHashes.Add(hash);
                    _missingKeys.Add(slice.Batch.Event(slice.Indexes[i]).Key);
                }
            }
        }

        if (_missingKeys.Count > 0)
        {
            await LoadKeysAsync().ConfigureAwait(false);
        }
    }

    private async Task LoadKeysAsync()
    {
        _loaded.Clear();
        for (var i = 0; i < _missingKeys.Count; i++)
        {
            _loaded.Add(default);
        }

        await _erased.LoadAsync(_store, _missingKeys, _loaded, CancellationToken.None).ConfigureAwait(false);
        if (_sequencesLeft < _missingKeys.Count)
        {
            var count = Math.Max(SequencesReserved, _missingKeys.Count);
            _nextSequence = await _store.ReserveRecordSequencesAsync(count, CancellationToken.None).ConfigureAwait(false);
            _sequencesLeft = count;
        }

        lock (_gate)
        {
            for (var i = 0; i < _missingKeys.Count; i++)
            {
                var loaded = _loaded[i];
                var number = loaded.Found ? loaded.Number : KeyHash.Number(NextSequence(), _missingHashes[i]);
                _cache.Add(_missingHashes[i], number, loaded.Position, loaded.Head.Span);
            }
        }
    }

    private long NextSequence()
    {
        _sequencesLeft--;
        return _nextSequence++;
    }

    /// <summary>Makes sure that a record is in the cache; by number only when it exists.</summary>
    private async Task LoadAsync(RecordKey key, Hash128 hash, long number)
    {
        lock (_gate)
        {
            if ((number != 0 ? _cache.Find(number) : _cache.Find(hash)) >= 0)
            {
                return;
            }
        }

        if (number == 0)
        {
            _missingKeys.Clear();
            _missingHashes.Clear();
            _missingKeys.Add(key);
            _missingHashes.Add(hash);
            await LoadKeysAsync().ConfigureAwait(false);
            return;
        }

        var loaded = await _store.LoadAsync(number, CancellationToken.None).ConfigureAwait(false);
        if (!loaded.Found)
        {
            return;
        }

        lock (_gate)
        {
            AddToCache(loaded);
        }
    }

    private void AddToCache(in LoadedRecord loaded)
    {
        _state.Load(loaded.Head.Span);
        _cache.Add(KeyHash.Of(new RecordKey(_state.Tenant, _state.ObjectType, _state.Id)), loaded.Number, loaded.Position, loaded.Head.Span);
    }

    /// <summary>Loads the sections that the latest turn asked for; they are kept until that record's turn is done.</summary>
    private async Task LoadSectionsAsync()
    {
        List<int> wanted;
        int failures;
        lock (_gate)
        {
            failures = _failures;
            var slot = _cache.Find(_missingRecord);
            if (slot < 0)
            {
                return;
            }

            _state.Load(_cache.Head(slot));
            wanted = _missingSections is { } given ? [.. given] : [.. _state.Sections.Where(s => s.Kind == _missingKind).Select(s => s.Index)];
        }

        var sections = new Dictionary<int, byte[]>();
        foreach (var section in wanted)
        {
            if (await LoadSectionAsync(section, failures).ConfigureAwait(false) is not { } content)
            {
                return;
            }

            sections[section] = content;
        }

        // Sections never change, so they may be kept as long as there is room for them.
        ForgetSectionsIfMany();
        _sectionBytes += sections.Values.Sum(c => (long)c.Length);

        if (_sections.TryGetValue(_missingRecord, out var known))
        {
            foreach (var (index, content) in sections)
            {
                known[index] = content;
            }

            return;
        }

        _sections[_missingRecord] = sections;
    }

    /// <summary>
    /// A section may have been written by a turn whose commit is still in flight: it is waited for. Null when a commit failed
    /// meanwhile: the head that names the section is not the record's any more.
    /// </summary>
    private async Task<byte[]?> LoadSectionAsync(int index, int failures)
    {
        if (FindOpenSection(index) is { } open)
        {
            return open;
        }

        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var content = await _store.LoadSectionAsync(_missingRecord, index, CancellationToken.None).ConfigureAwait(false);
            if (content is not null)
            {
                return content;
            }

            if (failures != Volatile.Read(ref _failures))
            {
                return null;
            }

            await FlushAsync().ConfigureAwait(false);
            if (_isShared && attempt > 0)
            {
                // The head that names it may be of another owner's past.
                lock (_gate)
                {
                    _cache.DropStale(_missingRecord);
                }

                return null;
            }
        }

        throw new StoreCorruptException($"Section {index} of record {_missingRecord} is named by its head but not stored.");
    }

    private byte[]? FindOpenSection(int index)
    {
        lock (_gate)
        {
            foreach (ref readonly var turn in _open.Turns.Turns)
            {
                for (var i = 0; i < turn.Sections.Count && turn.RecordNumber == _missingRecord; i++)
                {
                    var section = _open.Turns.Sections[turn.Sections.Start + i];
                    if (section.Index == index)
                    {
                        return section.Content;
                    }
                }
            }
        }

        return null;
    }

    /// <summary>Waits until everything decided so far is durable, or has failed.</summary>
    private Task FlushAsync()
    {
        var flush = new BarrierItem(isFlush: true);
        lock (_gate)
        {
            _open.Waiters.Add(flush);
        }

        _signalCommitter();
        return flush.Task;
    }

    /// <summary>A read sees only what is durable: it waits for turns in flight.</summary>
    private async Task ReadAsync(ReadItem item)
    {
        lock (_gate)
        {
            // Where others write too, what is in memory may be out of date: only a commit would tell.
            var slot = _isShared ? -1 : item.Number != 0 ? _cache.Find(item.Number) : _cache.Find(item.Hash);
            if (slot >= 0)
            {
                var head = _cache.Head(slot);
                item.Head = head.IsEmpty ? null : head.ToArray();
                _open.Waiters.Add(item);
                _signalCommitter();
                return;
            }
        }

        var loaded = await LoadForReadingAsync(item).ConfigureAwait(false);
        item.Head = loaded.Found ? loaded.Head.ToArray() : null;
        item.OnCommitted(null);
    }

    private async Task<LoadedRecord> LoadForReadingAsync(ReadItem item)
    {
        if (item.Number != 0)
        {
            return await _store.LoadAsync(item.Number, CancellationToken.None).ConfigureAwait(false);
        }

        var results = new List<LoadedRecord> { default };
        await _erased.LoadAsync(_store, [item.Key], results, CancellationToken.None).ConfigureAwait(false);
        return results[0];
    }
}
