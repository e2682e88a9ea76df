using System.Globalization;
using System.Text;
using Roster.Core;
using Roster.Core.Records;
using Roster.Engine.Stores;

namespace Roster.Storage.TestKit;

/// <summary>
/// All that a store can say, as text, read in small pages. Positions are given as ordinals of the journal, so that the dumps of two
/// stores can be compared.
/// </summary>
public static class StoreDump
{
    private const int Page = 7;

    public static async Task<string> ReadAsync(IRecordStore store, IReadOnlyList<int> tenants, IReadOnlyList<int> workflows)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(tenants);
        ArgumentNullException.ThrowIfNull(workflows);
        var text = new StringBuilder();
        var positions = await JournalAsync(store, text);
        var status = store.Status;
        Line(text, $"status {Ordinal(positions, status.JournalPosition)} records {status.Records} timers {status.Timers} effects {status.Effects}");
        await RecordsAsync(store, text, positions);
        await TimersAsync(store, text);
        await EffectsAsync(store, text, positions);
        foreach (var tenant in tenants)
        {
            foreach (var workflow in workflows)
            {
                await ActivityAsync(store, text, positions, tenant, workflow);
            }

            foreach (var (key, value) in (await store.ReadCountersAsync(tenant, default)).Where(c => c.Value != 0).OrderBy(c => c.Key.ToString(), StringComparer.Ordinal))
            {
                Line(text, $"counter {key} {value}");
            }
        }

        foreach (var document in await store.ReadDocumentsAsync(default))
        {
            Line(text, $"document {document.Tenant} {document.Kind} {document.Id} {Convert.ToHexString(document.Content!)}");
        }

        return text.ToString();
    }

    private static async Task<List<long>> JournalAsync(IRecordStore store, StringBuilder text)
    {
        var positions = new List<long>();
        var last = 0L;
        while (await store.ReadJournalAsync(last, Page, default) is { Count: > 0 } turns)
        {
            foreach (var turn in turns)
            {
                positions.Add(turn.Position);
                Line(text, $"turn {positions.Count} after {Ordinal(positions, turn.Previous)} {Hex(turn.Skeleton)} {Hex(turn.Payload)}");
            }

            last = turns[^1].Position;
        }

        return positions;
    }

    private static async Task RecordsAsync(IRecordStore store, StringBuilder text, List<long> positions)
    {
        var state = new RecordState();
        var last = 0L;
        while (await store.ScanRecordsAsync(last, Page, default) is { Count: > 0 } heads)
        {
            foreach (var head in heads)
            {
                state.Load(head.Head.Span);
                Line(text, $"head {head.Number} at {Ordinal(positions, head.Position)} {Hex(head.Head)}");
                await CheckLoadsAsync(store, state, head);
                foreach (var section in state.Sections)
                {
                    Line(text, $"section {head.Number} {section.Index} {Hex(await SectionAsync(store, head.Number, section.Index))}");
                }

                await TimelineAsync(store, text, positions, head.Number);
            }

            last = heads[^1].Number;
        }
    }

    private static async Task<ReadOnlyMemory<byte>?> SectionAsync(IRecordStore store, long number, int index) =>
        await store.LoadSectionAsync(number, index, default) is { } content ? content : null;

    private static async Task CheckLoadsAsync(IRecordStore store, RecordState state, LoadedRecord head)
    {
        var byNumber = await store.LoadAsync(head.Number, default);
        var byKey = new LoadedRecord[1];
        await store.LoadAsync([new RecordKey(state.Tenant, state.ObjectType, state.Id)], byKey, default);
        foreach (var loaded in new[] { byNumber, byKey[0] })
        {
            Assert.Equal((true, head.Number, head.Position), (loaded.Found, loaded.Number, loaded.Position));
            Assert.Equal(Hex(head.Head), Hex(loaded.Head));
        }
    }

    private static async Task TimelineAsync(IRecordStore store, StringBuilder text, List<long> positions, long number)
    {
        var before = 0L;
        text.Append("timeline");
        while (await store.ReadTimelineAsync(number, before, Page, default) is { Count: > 0 } turns)
        {
            foreach (var turn in turns)
            {
                text.Append(' ').Append(Ordinal(positions, turn.Position));
            }

            before = turns[^1].Position;
        }

        text.AppendLine();
    }

    private static async Task TimersAsync(IRecordStore store, StringBuilder text)
    {
        var last = default(TimerEntry);
        while (await store.ReadTimersAsync(last, Page, default) is { Count: > 0 } timers)
        {
            foreach (var timer in timers)
            {
                Line(text, $"timer {timer.DueAt.Ms} {timer.RecordNumber}");
            }

            last = timers[^1];
        }
    }

    private static async Task EffectsAsync(IRecordStore store, StringBuilder text, List<long> positions)
    {
        var queues = await store.ReadEffectQueuesAsync(default);
        foreach (var queue in queues.OrderBy(q => q.Tenant).ThenBy(q => q.Queue, StringComparer.Ordinal))
        {
            Line(text, $"queue {queue.Tenant} {queue.Queue} {queue.Count}");
            var last = 0L;
            while (await store.ReadEffectsAsync(queue.Tenant, queue.Queue, last, Page, default) is { Count: > 0 } effects)
            {
                foreach (var effect in effects)
                {
                    var turn = OrdinalAtOrBefore(positions, effect.Sequence);
                    Line(text, $"effect {turn}+{effect.Sequence - positions[turn - 1]} {effect.Id} {effect.Tenant} {effect.Queue} {Convert.ToHexString(effect.Task)}");
                }

                last = effects[^1].Sequence;
            }
        }
    }

    private static async Task ActivityAsync(IRecordStore store, StringBuilder text, List<long> positions, int tenant, int workflow)
    {
        var before = 0L;
        text.Append(CultureInfo.InvariantCulture, $"activity {tenant} {workflow}");
        while (await store.ReadActivityAsync(tenant, workflow, before, Page, default) is { Count: > 0 } turns)
        {
            foreach (var turn in turns)
            {
                text.Append(' ').Append(Ordinal(positions, turn.Position));
            }

            before = turns[^1].Position;
        }

        text.AppendLine();
    }

    private static int Ordinal(List<long> positions, long position)
    {
        var index = positions.BinarySearch(position);
        Assert.True(index >= 0 || position == 0, $"There is no turn at position {position}.");
        return position == 0 ? 0 : index + 1;
    }

    private static int OrdinalAtOrBefore(List<long> positions, long position)
    {
        var index = positions.BinarySearch(position);
        return index >= 0 ? index + 1 : ~index;
    }

    private static string Hex(ReadOnlyMemory<byte>? bytes) => bytes is { } present ? Convert.ToHexString(present.Span) : "none";

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
