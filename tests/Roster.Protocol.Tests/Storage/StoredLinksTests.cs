using Google.Protobuf;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;
using Roster.Engine.Messages;
using Roster.Storage.V1;
using NamedValue = Roster.Core.Journal.NamedValue;
using RecordMessage = Roster.Core.Turns.RecordMessage;
using Value = Roster.Core.Values.Value;

namespace Roster.Protocol.Tests.Storage;

/// <summary>Links, copies and messages are stored as the generated classes of <c>roster.storage.v1</c> read and write them.</summary>
public sealed class StoredLinksTests
{
    private const int Deal = 3;
    private readonly PackedWriter _writer = new();

    [Fact]
    public void Messages_parse_and_serialise_to_the_same_bytes()
    {
        var message = new RecordMessage(MessageKind.Create, Deal, "d1")
        {
            FromType = 1,
            FromId = "ada",
            Hops = 3,
            At = new Timestamp(77),
            Labels = [1, 4],
            Copy = [new NamedValue("3", Value.OfText("x"))],
            IsInitial = true,
            Workflow = 5,
            Step = 6,
            Subject = 7,
            Mode = SetMode.Append,
            Value = Value.OfBool(true),
            Source = "s",
            Fields = [new NamedValue("9", Value.Unknown)],
            Chain = [8, 2],
            Cursor = ulong.MaxValue,
            OccurredAt = new Timestamp(-5),
            Seen = 12,
        };
        foreach (var given in new[] { message, new RecordMessage(MessageKind.Unlink, 1, "ada"), message with { Copy = [] } })
        {
            var packed = MessageCodec.Pack(given);
            Assert.Equal(packed, Roster.Storage.V1.RecordMessage.Parser.ParseFrom(packed).ToByteArray());
            Assert.Equal(packed, MessageCodec.Pack(MessageCodec.Unpack(packed)));
        }

        Assert.Null(MessageCodec.Unpack(MessageCodec.Pack(new RecordMessage(MessageKind.Copy, 1, "ada"))).Copy);
    }

    [Fact]
    public void Heads_with_links_and_copies_and_the_sections_of_both_parse_and_serialise_to_the_same_bytes()
    {
        var schema = TenantSchema.New(TenantSettings.Default).WithLabel("buyer");
        schema = schema.WithProperty(schema.FindObjectType("deal")!, "amount", PropertyType.Number, []);
        var catalog = new TenantCatalog(5, "acme", 1, schema, []);
        var (state, turn, head) = (new RecordState(), new Turn(), Array.Empty<byte>());
        var sections = new Dictionary<int, byte[]>();
        var turnId = 0UL;
        var amount = schema.FindObjectType("deal")!.Find("amount")!.Number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        for (var i = 0; i < 700; i++)
        {
            var message = new RecordMessage(i % 9 == 8 ? MessageKind.Unlink : MessageKind.Link, 1, "ada")
            {
                FromType = Deal,
                FromId = $"d{(i % 9 == 8 ? i / 3 : i)}",
                Labels = i % 5 == 0 ? [1] : [],
                Copy = i % 3 == 0 ? [new NamedValue(amount, Value.OfNumber(i)), new NamedValue(amount + "@", Value.OfDateTime(new Timestamp(i))), new NamedValue("l7", Value.OfBool(true)), .. Behind(i)] : null,
            };
            // The record's own word: a link, and a label for one that the other side has made.
            var own = new EventInput($"e{i}", 1, default, "s", [], [], isBaseline: false) { Associations = [new AssociationWrite(Deal, $"d{(i % 2 == 0 ? i : i - 6)}", 1, Removes: false)] };
            TurnInput input = i % 50 is 6 or 7 ? own : new MessageInput(message, i, i + 1);
            TurnResult result;
            do
            {
                state.Reset(new RecordKey(5, 1, "ada"), 9);
                if (head.Length > 0)
                {
                    state.Load(head);
                }

                foreach (var (index, content) in sections)
                {
                    state.AddSection(index, content);
                }

                result = turn.Decide(state, input, catalog, new Timestamp(1_000_000 + i), ++turnId);
            }
            while (result.Status == TurnStatus.NeedsSections);
            Assert.Equal(TurnStatus.Applied, result.Status);
            foreach (var write in state.SectionWrites)
            {
                Keep(sections, state, write);
            }

            _writer.Clear();
            state.Pack(_writer);
            head = _writer.Written.ToArray();
            Assert.Equal(head, RecordHead.Parser.ParseFrom(head).ToByteArray());
        }

        Assert.True(state.AssociationCount > 500);
    }

    /// <summary>What some deals tell of their line items (ASC-03).</summary>
    private static NamedValue[] Behind(int i) => i % 2 == 0
        ? []
        : [new NamedValue("c8/1,4", Value.OfText("l1")), new NamedValue("2", Value.OfText("shoe")), new NamedValue("l3", Value.OfBool(true)), new NamedValue("c8/", Value.OfText("l2"))];

    /// <summary>A section is a page of copies, a directory or a leaf; each is read by the class of its own.</summary>
    private static void Keep(Dictionary<int, byte[]> sections, RecordState state, SectionWrite write)
    {
        if (write.Content is null)
        {
            Assert.True(sections.Remove(write.Index));
            return;
        }

        sections[write.Index] = write.Content;
        var isCopies = state.Sections.Any(s => s.Index == write.Index && s.Kind == SectionKind.Copies);
        MessageParser[] parsers = isCopies ? [RecordHead.Parser] : [AssociationLeaf.Parser, AssociationDirectory.Parser];
        Assert.Contains(parsers, p => Reads(p, write.Content));
    }

    private static bool Reads(MessageParser parser, byte[] content)
    {
        try
        {
            return parser.ParseFrom(content).ToByteArray().AsSpan().SequenceEqual(content);
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }
}
