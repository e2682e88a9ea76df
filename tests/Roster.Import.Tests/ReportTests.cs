using System.Text.Json;
using System.Text.Json.Nodes;
using static Roster.Import.Tests.Flows;

namespace Roster.Import.Tests;

/// <summary>What the report says, and that nothing is missing in it.</summary>
public sealed class ReportTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void IMP_02_Every_field_of_the_source_has_one_line_in_its_order()
    {
        var imported = new Imported(Whole());
        Assert.Equal(Leaves(JsonNode.Parse(Whole())!, "").ToList(), imported.Report.Fields.Select(field => field.Path));
        Assert.Equal(imported.Report.Fields.Count, imported.Report.Exact + imported.Report.Adapted + imported.Report.Unsupported);
        Assert.Equal(0, imported.Report.Unsupported);
    }

    [Fact]
    public void IMP_02_A_field_that_the_import_does_not_know_is_unsupported_and_counted()
    {
        var imported = new Imported(Flow(Manual, Mark, ""","frobnicate":{"deep":[1,{"x":"y"}]},"customProperties2":{"a b":"c"}"""));
        Assert.Equal((Fidelity.Unsupported, FindingCode.UnknownField, "y"), Of(imported.At("frobnicate.deep[1].x")));
        Assert.Equal((Fidelity.Unsupported, FindingCode.UnknownField, "1"), Of(imported.At("frobnicate.deep[0]")));
        Assert.Equal((Fidelity.Unsupported, FindingCode.UnknownField, "c"), Of(imported.At("customProperties2['a b']")));
        Assert.Equal(3, imported.Report.Unsupported);
    }

    [Fact]
    public void IMP_02_An_unknown_setting_of_a_known_action_is_reported_by_its_path()
    {
        var imported = new Imported(Flow(Manual, Single("1", "0-1", """{"delta":"5","time_unit":"HOURS","snooze":"true"}""")));
        Assert.Equal((Fidelity.Unsupported, FindingCode.UnknownField, "true"), Of(imported.At("actions[0].fields.snooze")));
        Assert.Equal(5, imported.Step("1").Delay.Amount);
    }

    [Fact]
    public void IMP_02_A_remark_on_an_object_hides_nothing_in_it()
    {
        var imported = new Imported(Flow(
            """{"extra":1}""", $"{Mark},{Single("2", "0-18224765", """{"odd":1}""")}", ""","eventAnchor":{"type":"STATIC_DATE_ANCHOR","month":"MAY","dayOfMonth":1,"moon":"full"}"""));
        Assert.Equal(FindingCode.UnreachableAction, imported.At("actions[1]").Code);
        string[] unknown = ["enrollmentCriteria.extra", "actions[1].fields.odd", "eventAnchor.moon"];
        Assert.All(unknown, path => Assert.Equal((Fidelity.Unsupported, FindingCode.UnknownField), (imported.At(path).Level, imported.At(path).Code)));
    }

    [Fact]
    public void IMP_02_A_field_that_stands_twice_is_reported_and_the_last_counts()
    {
        var imported = new Imported(Flow(Manual, Mark).Replace("\"name\":\"Tea club\"", "\"name\":\"First\",\"name\":\"Second\"", StringComparison.Ordinal));
        Assert.Equal("Second", imported.Workflow.DisplayName);
        Assert.Equal((Fidelity.Unsupported, FindingCode.DuplicateField, "First"), Of(imported.Report.Fields.First(field => field.Path == "name")));
    }

    [Fact]
    public void IMP_02_A_value_of_another_kind_than_it_should_be_is_reported()
    {
        var imported = new Imported(Flow(Manual, Mark, ""","suppressionFilterBranch":7,"unEnrollmentSetting":"ALL","goalFilterBranch":[]"""));
        Assert.Equal(Fidelity.Unsupported, imported.At("suppressionFilterBranch").Level);
        Assert.Equal(Fidelity.Unsupported, imported.At("unEnrollmentSetting").Level);
    }

    [Fact]
    public async Task IMP_05_What_is_broken_is_imported_and_reported_with_its_place()
    {
        var imported = new Imported(Broken);
        Assert.Equal((Fidelity.Unsupported, FindingCode.DanglingConnection, "9999"), Of(imported.At("actions[3].connection.nextActionId")));
        Assert.Equal((Fidelity.Exact, FindingCode.UnreachableAction, ""), Of(imported.At("actions[4]")));
        Assert.Equal((Fidelity.Exact, FindingCode.GoTo, "GOTO"), Of(imported.At("actions[1].listBranches[0].connection.edgeType")));
        Assert.Equal((Fidelity.Exact, FindingCode.NoDefault, ""), Of(imported.At("actions[2].defaultBranch")));
        Assert.Equal((Fidelity.Adapted, FindingCode.Missing, ""), Of(imported.At("actions[0].type")));
        Assert.Equal((Fidelity.Adapted, FindingCode.Missing, ""), Of(imported.At("objectTypeId")));
        Assert.Equal((Fidelity.Adapted, FindingCode.NotTurnedOn, "true"), Of(imported.At("isEnabled")));
        Assert.Equal((Fidelity.Unsupported, FindingCode.UnknownField, "made by hand"), Of(imported.At("_note")));
        Assert.Equal(2, imported.Report.Unsupported);
        Assert.Equal(["1", "2", "3", "4", "5", "2-goto"], imported.Workflow.Steps.Select(step => step.Id));

        // Publishing says the same of the draft.
        var problems = await imported.ProblemsAsync(Cancel);
        Assert.Equal(["DANGLING_STEP", "NO_DEFAULT", "UNREACHABLE_STEP"], problems.Select(problem => problem.Code).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("", "1:1: this is not JSON")]
    [InlineData("{\"actions\":[", "this is not JSON")]
    [InlineData("[]", "`actions`")]
    [InlineData("[{\"actionId\":\"1\"},2]", "`actions`")]
    [InlineData("\"x\"", "`actions`")]
    [InlineData("{\"name\":\"x\"}", "`actions`")]
    [InlineData("{\"results\":[{\"actions\":[]},3]}", "`actions`")]
    [InlineData("{\"name\":\"\\ud83d\",\"actions\":[]}", "half of a character")]
    public void IMP_01_What_is_no_flow_is_refused_with_a_sentence(string json, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<ImportException>(() => new HubSpotImport().Import(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void IMP_02_Whatever_is_broken_in_a_flow_each_field_still_has_its_line()
    {
        // Each change of a seed is tried on one of the flows: a value is dropped, replaced, or wrapped.
        string[] flows = [Whole(), Broken, Filtered(Is("city", "Dublin"))];
        for (var seed = 0; seed < 3_000; seed++)
        {
            var random = new Random(seed);
            var node = JsonNode.Parse(flows[seed % flows.Length])!;
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                Break(node, random);
            }

            if (node["actions"] is not JsonArray)
            {
                continue;
            }

            var text = node.ToJsonString();
            var report = Assert.Single(new HubSpotImport().Import(text)).Report;
            Assert.True(Leaves(node, "").SequenceEqual(report.Fields.Select(field => field.Path)), $"seed {seed}: {text}");
        }
    }

    private static (Fidelity Level, FindingCode Code, string Value) Of(Finding finding) => (finding.Level, finding.Code, finding.Value);

    private static void Break(JsonNode root, Random random)
    {
        var places = Containers(root).Where(node => node is JsonObject { Count: > 0 } or JsonArray { Count: > 0 }).ToList();
        var place = places[random.Next(places.Count)];
        JsonNode? value = random.Next(8) switch
        {
            0 => null,
            1 => "x",
            2 => -1,
            3 => true,
            4 => new JsonArray(1, "y"),
            5 => new JsonObject { ["type"] = "NEW", ["z"] = 1 },
            6 => "",
            _ => 1e30,
        };
        if (place is JsonArray array)
        {
            array[random.Next(array.Count)] = value;
            return;
        }

        var owner = (JsonObject)place;
        var name = owner.ElementAt(random.Next(owner.Count)).Key;
        if (random.Next(3) == 0)
        {
            owner.Remove(name);
        }
        else
        {
            owner[name] = value;
        }
    }

    private static IEnumerable<JsonNode> Containers(JsonNode? node) => node switch
    {
        JsonObject owner => owner.SelectMany(property => Containers(property.Value)).Prepend(owner),
        JsonArray array => array.SelectMany(Containers).Prepend(array),
        _ => [],
    };

    /// <summary>An independent list of the paths of all values.</summary>
    private static IEnumerable<string> Leaves(JsonNode? node, string path) => node switch
    {
        JsonObject { Count: > 0 } owner => owner.SelectMany(property => Leaves(property.Value, path.Length == 0 ? property.Key : $"{path}.{property.Key}")),
        JsonArray { Count: > 0 } array => array.SelectMany((item, index) => Leaves(item, $"{path}[{index}]")),
        _ => [path],
    };
}
