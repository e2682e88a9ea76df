using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Protocol.Mapping;

namespace Roster.Protocol.Tests.Mapping;

public sealed class JournalMappingTests
{
    [Fact]
    public void Every_kind_is_shown_or_known_bookkeeping()
    {
        var schema = TenantSchema.New(TenantSettings.Default);
        schema = schema.WithProperty(schema.FindObjectType("contact")!, "stage", PropertyType.String, []);
        var catalog = new TenantCatalog(1, "acme", 1, schema, []);
        foreach (var kind in Enum.GetValues<EntryKind>().Where(k => k != EntryKind.None && JournalMapping.IsShown(k)))
        {
            var entry = new JournalEntry { Kind = kind, Workflow = 9, Version = 2, Enrollment = 3, Step = 4, Execution = 5, Code = 1, Subject = 1, OccurredAt = new Timestamp(1), DueAt = new Timestamp(2), Text = "text", Source = "source", Value = Value.OfText("x"), Fields = [new NamedValue("f", Value.OfBool(true))] };
            var wire = JournalMapping.ToWire(entry, 1, "ada", new Timestamp(77), 5, catalog, (w, s) => $"{w}/{s}");
            Assert.Equal(((int)kind, "ada", "contact", "#9", "9/4"), ((int)wire.Kind, wire.Ref.RecordId, wire.Ref.ObjectType, wire.WorkflowId, wire.StepId));
            Assert.NotEqual("KIND_UNSPECIFIED", wire.Kind.ToString());
            Assert.Equal("f", Assert.Single(wire.Properties).Name);
        }
    }

    [Theory]
    [InlineData("AlreadyActive", "ALREADY_ACTIVE")]
    [InlineData("SkippedOff", "SKIPPED_OFF")]
    [InlineData("Enrolled", "ENROLLED")]
    public void Codes_have_their_names_of_the_rules(string name, string expected) => Assert.Equal(expected, JournalMapping.ApiName(name));
}
