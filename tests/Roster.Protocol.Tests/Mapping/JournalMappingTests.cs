using Roster.Core;
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
        var schema = TenantSchema.New(TenantSettings.Default).WithLabel("buyer");
        schema = schema.WithProperty(schema.FindObjectType("contact")!, "stage", PropertyType.String, []);
        var names = new Names(schema);
        foreach (var kind in Enum.GetValues<EntryKind>().Where(k => k is not (EntryKind.None or EntryKind.CommandReceived) && JournalMapping.IsShown(k)))
        {
            var entry = new JournalEntry { Kind = kind, Workflow = 9, Version = 2, Enrollment = 3, Step = 4, Execution = 5, Code = 1, Subject = 1, OccurredAt = new Timestamp(1), DueAt = new Timestamp(2), Text = "text", Source = "source", Value = Value.OfText("x"), Fields = [new NamedValue("f", Value.OfBool(true))] };
            var wire = JournalMapping.ToWire(entry, 1, "ada", new Timestamp(77), 5, names);
            Assert.Equal(((int)kind, "ada", "contact", "w9", "9/4"), ((int)wire.Kind, wire.Ref.RecordId, wire.Ref.ObjectType, wire.WorkflowId, wire.StepId));
            Assert.NotEqual("KIND_UNSPECIFIED", wire.Kind.ToString());
            Assert.Equal("f", Assert.Single(wire.Properties).Name);
        }
    }

    [Fact]
    public void ACT_08_A_category_has_no_effect_because_a_step_has_none() =>
        Assert.DoesNotContain(V1.Step.Descriptor.Fields.InDeclarationOrder(), f => f.Name.Contains("category", StringComparison.Ordinal));

    [Fact]
    public void REC_01_Object_types_of_CRMs_are_there_by_name_and_by_HubSpot_id()
    {
        var schema = TenantSchema.New(TenantSettings.Default);
        foreach (var (id, name) in new[] { ("0-1", "contact"), ("0-2", "company"), ("0-3", "deal"), ("0-5", "ticket"), ("0-7", "product"), ("0-8", "line_item"), ("0-14", "quote"), ("0-136", "lead") })
        {
            Assert.Same(schema.FindObjectType(name), schema.FindObjectType(id));
            Assert.NotNull(schema.FindObjectType(name));
        }

        Assert.All(new[] { "conversation", "feedback_submission", "subscription", "payment", "call", "meeting", "task", "note" }, name => Assert.NotNull(schema.FindObjectType(name)));
        Assert.NotNull(schema.WithObjectType("pet").FindObjectType("pet"));
    }

    [Fact]
    public void HIS_01_Decisions_and_ends_name_the_list_goal_or_workflow_that_decided()
    {
        var names = new Names(TenantSchema.New(TenantSettings.Default));
        Assert.Equal("l7", JournalMapping.DetailOf(JournalEntry.EnrollmentEnded(1, 1, 1, 0, EndReason.Suppressed, 7), names));
        Assert.Equal("1.g2", JournalMapping.DetailOf(JournalEntry.EnrollmentEnded(1, 1, 1, 0, EndReason.GoalMet, 2), names));
        Assert.Equal("w3", JournalMapping.DetailOf(JournalEntry.EnrollmentEnded(1, 1, 1, 0, EndReason.EnrolledInOther, 3), names));
        Assert.Equal("", JournalMapping.DetailOf(JournalEntry.EnrollmentEnded(1, 1, 1, 0, EndReason.Completed), names));
        Assert.Equal("l7", JournalMapping.DetailOf(JournalEntry.Refused(1, 1, TriggerKind.Filter, Decision.Suppressed, 7), names));
        Assert.Equal("1.g2", JournalMapping.DetailOf(JournalEntry.Refused(1, 1, TriggerKind.Filter, Decision.GoalAlreadyMet, 2), names));
        Assert.Equal("property_changed", JournalMapping.DetailOf(JournalEntry.Enrolled(1, 1, 1, TriggerKind.Event, 1, true, 1), names));
        Assert.Equal("w3", JournalMapping.DetailOf(JournalEntry.Enrolled(1, 1, 1, TriggerKind.Workflow, 1, true, 3), names));
    }

    private sealed class Names(TenantSchema schema) : IJournalNames
    {
        public TenantSchema Schema => schema;

        public string WorkflowId(int workflow) => $"w{workflow}";

        public string StepId(int workflow, int step) => $"{workflow}/{step}";

        public string GoalId(int workflow, int goal) => $"{workflow}.g{goal}";

        public string ListId(int list) => $"l{list}";
    }

    [Theory]
    [InlineData("AlreadyActive", "ALREADY_ACTIVE")]
    [InlineData("SkippedOff", "SKIPPED_OFF")]
    [InlineData("Enrolled", "ENROLLED")]
    public void Codes_have_their_names_of_the_rules(string name, string expected) => Assert.Equal(expected, JournalMapping.ApiName(name));
}
