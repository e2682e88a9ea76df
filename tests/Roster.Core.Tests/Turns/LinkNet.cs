using System.Globalization;
using System.Text;
using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>
/// Some contacts and the messages between them, delivered one by one in an order that the test chooses: those from one record to another in the
/// order in which they were sent, all others in any. A copy of it goes on by itself.
/// </summary>
internal sealed class LinkNet
{
    public const int X = 1;
    public const int Y = 2;
    private static readonly Timestamp Now = new(1_000_000);

    private readonly TenantCatalog _catalog;
    private readonly byte[][] _heads;
    private readonly Dictionary<int, byte[]>[] _sections;
    private readonly List<(int From, int Sequence, RecordMessage Message)> _onTheirWay = [];
    private readonly List<(int From, int Sequence, RecordMessage Message, RefusalReason Reason)> _refused = [];
    private readonly HashSet<(int By, int Other)> _named = [];
    private readonly StringBuilder _told = new();
    private int _ids;

    public LinkNet(int records, TenantSettings? settings = null)
    {
        var schema = TenantSchema.New(settings ?? TenantSettings.Default).WithLabel("x").WithLabel("y");
        _catalog = new TenantCatalog(1, "acme", 1, schema, []);
        _heads = [.. Enumerable.Repeat(Array.Empty<byte>(), records)];
        _sections = [.. Enumerable.Range(0, records).Select(_ => new Dictionary<int, byte[]>())];
        for (var record = 0; record < records; record++)
        {
            Change(record);
        }
    }

    private LinkNet(LinkNet other)
    {
        _catalog = other._catalog;
        _heads = [.. other._heads];
        _sections = [.. other._sections.Select(s => new Dictionary<int, byte[]>(s))];
        _onTheirWay.AddRange(other._onTheirWay);
        _refused.AddRange(other._refused);
        _told.Append(other._told);
        _ids = other._ids;
        _named.UnionWith(other._named);
    }

    public LinkNet Copy() => new(this);

    /// <summary>What can be done next: deliver the oldest message from one record to another, or tell a sender that one came back.</summary>
    public int Deliveries => Oldest.Count + _refused.Count;

    public bool IsQuiet => Deliveries == 0;

    /// <summary>What happened, for a failing test to say.</summary>
    public string Story => _told.ToString();

    /// <summary>Equal for nets that go on in the same way.</summary>
    public string Fingerprint =>
        string.Join('|', _heads.Select(Convert.ToHexString)) + string.Join(';', _onTheirWay.Select(m => $"{m.From},{m.Sequence},{m.Message.ToId}")) + string.Join(';', _refused.Select(m => $"{m.From},{m.Sequence}"));

    private List<int> Oldest => [.. Enumerable.Range(0, _onTheirWay.Count).Where(i => !_onTheirWay.Take(i).Any(m => m.From == _onTheirWay[i].From && m.Message.ToId == _onTheirWay[i].Message.ToId))];

    private static string Id(int record) => string.Create(CultureInfo.InvariantCulture, $"r{record}");

    private static int Record(string id) => int.Parse(id.AsSpan(1), CultureInfo.InvariantCulture);

    public TurnResult Link(int record, int other, int label = 0) => Change(record, new AssociationWrite(1, Id(other), label, Removes: false));

    public TurnResult Unlink(int record, int other, int label = 0) => Change(record, new AssociationWrite(1, Id(other), label, Removes: true));

    public TurnResult Change(int record, params AssociationWrite[] links) =>
        Run(record, new EventInput($"e{++_ids}", 1, Timestamp.None, "test", [], [], isBaseline: false) { Associations = links });

    public TurnResult Command(int record, CommandKind kind, int other = -1) =>
        Run(record, new CommandInput(kind, 0, $"c{++_ids}", "me") { OtherId = other < 0 ? string.Empty : Id(other) });

    public TurnResult FinishErasure(int record) => Run(record, FinishErasureInput.Instance);

    public void Deliver(int choice)
    {
        var oldest = Oldest;
        if (choice < oldest.Count)
        {
            var sent = _onTheirWay[oldest[choice]];
            _onTheirWay.RemoveAt(oldest[choice]);
            var result = Run(Record(sent.Message.ToId), new MessageInput(sent.Message, sent.From + 1, sent.Sequence));
            if (result.Status == TurnStatus.Refused)
            {
                _refused.Add((sent.From, sent.Sequence, sent.Message, result.Refusal!.Reason));
            }

            return;
        }

        var refused = _refused[choice - oldest.Count];
        _refused.RemoveAt(choice - oldest.Count);
        Assert.Equal(TurnStatus.Applied, Run(refused.From, new MessageReturnedInput(refused.Message, refused.Sequence, refused.Reason)).Status);
    }

    /// <summary>Delivers until nothing is on its way.</summary>
    public LinkNet Settle(Func<int, int>? choose = null)
    {
        for (var count = 0; !IsQuiet; count++)
        {
            Assert.True(count < 10_000, "It never comes to rest.");
            Deliver(choose?.Invoke(Deliveries) ?? 0);
        }

        return this;
    }

    public RecordState State(int record)
    {
        var state = new RecordState();
        state.Load(_heads[record]);
        foreach (var (index, content) in _sections[record])
        {
            state.AddSection(index, content);
        }

        return state;
    }

    /// <summary>The labels of the link of a record to another one, <c>-</c> when there is none.</summary>
    public string LinkOf(int record, int other)
    {
        var state = State(record);
        return state.FindAssociation(1, Id(other)) is { } link ? string.Join(',', link.Labels) : "-";
    }

    /// <summary>ACT-27: both ends of every link have it, with the same labels. Nobody has one to an erased record.</summary>
    public void CheckBothEnds()
    {
        Assert.True(IsQuiet);
        for (var left = 0; left < _heads.Length; left++)
        {
            for (var right = 0; right < left; right++)
            {
                var isErased = State(left).Gone == GoneKind.Erased || State(right).Gone == GoneKind.Erased;
                var (one, two) = (State(left).Gone == GoneKind.Erased ? "-" : LinkOf(left, right), State(right).Gone == GoneKind.Erased ? "-" : LinkOf(right, left));
                Assert.True(one == two && (!isErased || one == "-"), $"r{left} has {one} to r{right}, which has {two}.\n{Story}");
            }
        }
    }

    /// <summary>REC-17: whoever is named by the journal of another record has that one in its own, so that its erasure finds it.</summary>
    public void CheckNamed()
    {
        Assert.True(IsQuiet);
        foreach (var (by, other) in _named)
        {
            Assert.True(_named.Contains((other, by)), $"r{by} names r{other}, which has not heard of it.\n{Story}");
        }
    }

    private TurnResult Run(int record, TurnInput input)
    {
        var (turn, state, missing) = (new Turn(), new RecordState(), new List<int>());
        TurnResult result;
        do
        {
            state.Reset(new RecordKey(1, 1, Id(record)), record + 1);
            if (_heads[record].Length > 0)
            {
                state.Load(_heads[record]);
            }

            foreach (var (index, content) in missing.Count == 0 ? [] : _sections[record])
            {
                state.AddSection(index, content);
            }

            missing.Add(0);
            result = turn.Decide(state, input, _catalog, Now, (ulong)(missing.Count + 5));
        }
        while (result.Status == TurnStatus.NeedsSections);
        Tell(record, input, turn, result);
        if (result.Status != TurnStatus.Applied)
        {
            return result;
        }

        CheckReplay(record, state, turn);
        _heads[record] = Pack(state);
        foreach (var write in state.SectionWrites)
        {
            _ = write.Content is null ? _sections[record].Remove(write.Index) : _sections[record].TryAdd(write.Index, write.Content);
        }

        var messages = turn.Messages;
        for (var i = 0; i < messages.Length; i++)
        {
            _onTheirWay.Add((record, state.LastMessage - messages.Length + i + 1, messages[i]));
        }

        return result;
    }

    /// <summary>ENG-14: what the journal gives is the state.</summary>
    private void CheckReplay(int record, RecordState after, Turn turn)
    {
        var folded = new RecordState();
        folded.Reset(new RecordKey(1, 1, Id(record)), record + 1);
        if (_heads[record].Length > 0)
        {
            folded.Load(_heads[record]);
        }

        folded.BeginTurn(after.LastTurnAt, after.TurnId);
        foreach (var entry in turn.Entries)
        {
            folded.Apply(entry);
            if (entry.Text is { Length: > 0 } text && text[0] == 'r')
            {
                _named.Add((record, Record(text)));
            }
        }

        folded.EndTurn();
        Assert.Equal(Pack(after), Pack(folded));
    }

    private void Tell(int record, TurnInput input, Turn turn, in TurnResult result)
    {
        _told.Append(CultureInfo.InvariantCulture, $"r{record} {input switch
        {
            MessageInput m => $"hears {m.Message.Kind} {m.Sequence} of {m.Message.FromId} [{string.Join(',', m.Message.Labels)}] seen {m.Message.Seen}",
            MessageReturnedInput m => $"gets back {m.Message.Kind} {m.Sequence} to {m.Message.ToId}",
            CommandInput c => $"{c.Kind} {c.OtherId}",
            EventInput e => string.Join(' ', e.Associations),
            _ => input.GetType().Name,
        }}: {result.Status}");
        foreach (var entry in result.Status == TurnStatus.Applied ? turn.Entries : [])
        {
            _told.Append(CultureInfo.InvariantCulture, $" {entry.Kind}({entry.Text} {entry.Source} {entry.Number}{(entry.Flag ? " !" : "")})");
        }

        _told.Append('\n');
    }

    private static byte[] Pack(RecordState state)
    {
        var writer = new PackedWriter();
        state.Pack(writer);
        return writer.Written.ToArray();
    }
}
