using Roster.Cli.Json;

namespace Roster.Cli.Tests.Json;

public sealed class ApplyFileTests
{
    [Fact]
    public void A_bundle_has_a_tenant_lists_and_workflows()
    {
        var file = ApplyFile.Parse(
            """{"tenant":{"object_types":[{"name":"contact"}]},"lists":[{"id":"l","object_type":"contact"}],"workflows":[{"id":"w","object_type":"contact"}],"on":false}""",
            "f.json");
        Assert.Equal(("lists[0]", "l"), (file.Lists[0].Path, file.Lists[0].List.Id));
        Assert.Equal("contact", file.Tenant?.ObjectTypes[0].Name);
        Assert.Equal(("workflows[0]", "w"), (file.Workflows[0].Path, file.Workflows[0].Workflow.Id));
        Assert.False(file.SwitchesOn("w"));
    }

    [Theory]
    [InlineData("true", true, true)]
    [InlineData("false", false, false)]
    [InlineData("""["b"]""", false, true)]
    public void On_says_which_workflows_are_switched_on(string on, bool isFirst, bool isSecond)
    {
        var file = ApplyFile.Parse($$"""{"workflows":[{"id":"a","object_type":"contact"},{"id":"b","object_type":"contact"}],"on":{{on}}}""", "f.json");
        Assert.Equal((isFirst, isSecond), (file.SwitchesOn("a"), file.SwitchesOn("b")));
    }

    [Fact]
    public void On_that_is_something_else_is_told()
    {
        var error = Assert.Throws<CliException>(() => ApplyFile.Parse("""{"workflows":[],"on":["a",1]}""", "f.json"));
        Assert.Contains("is not true, false or an array of ids of workflows", Assert.Single(error.Sentences), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_may_be_a_workflow_or_a_tenant_alone_in_either_spelling_of_names()
    {
        Assert.Equal("contact", ApplyFile.Parse("""{"id":"w","objectType":"contact","steps":[]}""", "f.json").Workflows[0].Workflow.ObjectType);
        Assert.NotNull(ApplyFile.Parse("""{"objectTypes":[]}""", "f.json").Tenant);
    }

    [Fact]
    public void A_file_may_be_a_sequence_or_an_inbox_alone()
    {
        var file = ApplyFile.Parse("""{"id":"follow-up","owner":"olga","eligible_days":"WEEKDAYS","steps":[{"id":"call","delay_ms":"86400000","task":{"title":"Call"}}]}""", "f.json");
        Assert.Equal("call", Assert.Single(Assert.Single(file.Sequences).Sequence.Steps).Id);
        Assert.Empty(file.Workflows);
        Assert.Equal("steps[0].delay_ms", file.Spell("steps[0].delayMs"));
        Assert.Equal("olga@example.org", Assert.Single(ApplyFile.Parse("""{"user":"olga","address":"olga@example.org","connected":true}""", "f.json").Inboxes).Inbox.Address);
        var error = Assert.Throws<CliException>(() => ApplyFile.Parse("""{"id":"s","owner":"olga","step":[]}""", "f.json"));
        Assert.StartsWith("f.json: step: Sequence has no field `step`. Did you mean `steps`?", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"id":"l","object_type":"contact","criteria":{"any_of":[]}}""")]
    [InlineData("""{"id":"l","objectType":"contact","displayName":"Hand-picked"}""")]
    [InlineData("""{"lists":[{"id":"l","object_type":"contact"}]}""")]
    public void A_file_may_be_a_list_active_or_static(string json)
    {
        var file = ApplyFile.Parse(json, "f.json");
        Assert.Equal("l", Assert.Single(file.Lists).List.Id);
        Assert.Empty(file.Workflows);
    }

    [Theory]
    [InlineData("""{"id":"l","object_type":"contact","criteria":{"any_of":[]},"obj":[]}""", "f.json: obj: List has no field `obj`. Known: `id`, `display_name`, `object_type`, `criteria`, `revision`, `members`, `created_at`, `updated_at`.")]
    [InlineData("""{"lists":{}}""", "f.json: lists: `{}` is not an array of lists.")]
    [InlineData("""{"id":"w","step":[]}""", "f.json: step: Workflow has no field `step`. Did you mean `steps`?")]
    [InlineData("""{"id":5}""", "f.json: id: `5` is not a text in quotes.")]
    [InlineData("""{"id":"w","steps":{}}""", "f.json: steps: `{}` is not an array.")]
    [InlineData("""{"id":"w","steps":[{"id":"a","delay":{"amount":"x","unit":"DAYS"}}]}""", "f.json: steps[0].delay.amount: `x` is not a whole number.")]
    [InlineData("""{"id":"w","steps":[{"id":"a","delay":{"amount":1.5,"unit":"DAYS"}}]}""", "f.json: steps[0].delay.amount: `1.5` is not a whole number.")]
    [InlineData("""{"id":"w","steps":[{"id":"a","delay":{"amount":1,"unit":"DAY"}}]}""", "f.json: steps[0].delay.unit: `DAY` is not a value of Unit. Did you mean `DAYS`?")]
    [InlineData("""{"id":"w","steps":[{"id":"a","worker":{"queue":"q","timeout":"1 day"}}]}""", "f.json: steps[0].worker.timeout: `1 day` is not a time span in seconds such as \"90s\".")]
    [InlineData("""{"id":"w","start":{"manual":{},"event":{}}}""", "f.json: start.event: `event` and `manual` exclude each other; give one of them.")]
    [InlineData("""{"id":"w","id":"v"}""", "f.json: id: `id` is given twice.")]
    [InlineData("""{"workflows":5}""", "f.json: workflows: `5` is not an array of workflows.")]
    [InlineData("""{"tenant":{},"off":true}""", "f.json: off: There is no field `off` here. Did you mean `on`?")]
    [InlineData("""[]""", "f.json: The file is not a JSON object with a workflow, a sequence, an inbox, a list or a tenant.")]
    public void What_does_not_fit_is_told_by_path_and_value(string json, string expected)
    {
        var error = Assert.Throws<CliException>(() => ApplyFile.Parse(json, "f.json"));
        Assert.Equal(expected, Assert.Single(error.Sentences));
    }

    [Fact]
    public void An_unknown_operator_is_told_with_the_nearest_ones()
    {
        const string Json = """{"id":"w","start":{"filter":{"criteria":{"any_of":[{"all_of":[{"property":"p","operator":"IS_EQUALS_TO"}]}]}}}}""";
        var error = Assert.Throws<CliException>(() => ApplyFile.Parse(Json, "f.json"));
        Assert.StartsWith(
            "f.json: start.filter.criteria.any_of[0].all_of[0].operator: `IS_EQUALS_TO` is not a value of Operator. Did you mean `IS_EQUAL_TO`",
            Assert.Single(error.Sentences),
            StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var error = Assert.Throws<CliException>(() => ApplyFile.Parse("""{"id":1,"steps":[{"idd":"a"},{"next":true}]}""", "f.json"));
        Assert.Equal(3, error.Sentences.Count);
    }

    [Fact]
    public void What_is_not_json_is_told_with_line_and_column()
    {
        var error = Assert.Throws<CliException>(() => ApplyFile.Parse("{\n  \"id\": w\n}", "f.json"));
        Assert.StartsWith("f.json:2:9: this is not JSON", Assert.Single(error.Sentences), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_sample_fits()
    {
        var names = typeof(ApplyFile).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith("samples/", StringComparison.Ordinal) && name.EndsWith("/workflow.json", StringComparison.Ordinal)).ToList();
        Assert.Equal(15, names.Count);
        foreach (var name in names)
        {
            using var reader = new StreamReader(typeof(ApplyFile).Assembly.GetManifestResourceStream(name)!);
            Assert.NotEmpty(ApplyFile.Parse(reader.ReadToEnd(), name).Workflows);
        }
    }
}
