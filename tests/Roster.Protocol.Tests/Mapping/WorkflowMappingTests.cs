using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Roster.Core;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;
using Roster.Protocol.Mapping;
using Roster.V1;
using PropertyType = Roster.Core.Values.PropertyType;
using TenantSettings = Roster.Core.Schema.TenantSettings;

namespace Roster.Protocol.Tests.Mapping;

/// <summary>EDT-03: everything wrong with a definition is told, at its exact path in the JSON that the user wrote.</summary>
public sealed class WorkflowMappingTests
{
    private const string Good = """
        { "id": "w", "objectType": "contact", "timeZone": "Europe/Berlin", "firstStep": "d",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["a"] }, { "property": "score", "operator": "IS_BETWEEN", "values": ["1", "2"] } ] } ] } },
                     "reenroll": true, "reenrollWhen": [ { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["b"] } ] } ] } ] },
          "goals": [ { "id": "g", "criteria": { "anyOf": [ { "allOf": [ { "property": "tags", "operator": "IS_ANY_OF", "values": ["x"] } ] } ] } } ],
          "steps": [
            { "id": "d", "next": "b", "delay": { "amount": 1, "unit": "DAYS" } },
            { "id": "b", "branch": { "branches": [ { "name": "one", "next": "s", "criteria": { "anyOf": [ { "allOf": [ { "property": "score", "operator": "IS_GREATER_THAN", "values": ["1"] } ] } ] } } ], "defaultNext": "t" } },
            { "id": "s", "next": "t", "setProperty": { "property": "stage", "value": "x" } },
            { "id": "t", "worker": { "queue": "mail", "properties": ["stage"], "fields": [ { "name": "f", "text": "x" } ], "timeout": "3600s" } } ] }
        """;

    [Fact]
    public void A_good_definition_has_no_problem() => Assert.Empty(Problems(Good));

    [Theory]
    [InlineData("id", "\"No Id\"", "BAD_ID", "id")]
    [InlineData("objectType", "\"nobody\"", "UNDECLARED_OBJECT_TYPE", "objectType")]
    [InlineData("timeZone", "\"Mars/Base\"", "UNKNOWN_TIME_ZONE", "timeZone")]
    [InlineData("firstStep", "\"nowhere\"", "DANGLING_STEP", "firstStep")]
    [InlineData("start", "{}", "NO_START", "start")]
    [InlineData("start.filter.criteria", "null", "NO_CRITERIA", "start.filter.criteria")]
    [InlineData("start.filter.criteria.anyOf", "[]", "EMPTY_CRITERIA", "start.filter.criteria.anyOf")]
    [InlineData("start.filter.criteria.anyOf[0].allOf[1].property", "\"nope\"", "UNDECLARED_PROPERTY", "start.filter.criteria.anyOf[0].allOf[1].property")]
    [InlineData("start.filter.criteria.anyOf[0].allOf[0].operator", "99", "UNKNOWN_OPERATOR", "start.filter.criteria.anyOf[0].allOf[0].operator")]
    [InlineData("start.filter.criteria.anyOf[0].allOf[0].operator", "\"IS_GREATER_THAN\"", "OPERATOR_NOT_FOR_TYPE", "start.filter.criteria.anyOf[0].allOf[0].operator")]
    [InlineData("start.filter.criteria.anyOf[0].allOf[1].values", "[\"1\"]", "VALUE_COUNT", "start.filter.criteria.anyOf[0].allOf[1].values")]
    [InlineData("start.filter.criteria.anyOf[0].allOf[1].values[1]", "\"two\"", "WRONG_TYPE", "start.filter.criteria.anyOf[0].allOf[1].values[1]")]
    [InlineData("start.filter.criteria.anyOf[0].allOf[1].timeZone", "\"Mars\"", "UNKNOWN_TIME_ZONE", "start.filter.criteria.anyOf[0].allOf[1].timeZone")]
    [InlineData("start.reenrollWhen[0].anyOf[0].allOf[0].operator", "\"IS_NOT_EQUAL_TO\"", "REENROLL_OPERATOR", "start.reenrollWhen[0].anyOf[0].allOf[0].operator")]
    [InlineData("goals[0].id", "\"\"", "BAD_ID", "goals[0].id")]
    [InlineData("goals[0].criteria.anyOf[0].allOf[0].values[0]", "\"z\"", "UNDECLARED_OPTION", "goals[0].criteria.anyOf[0].allOf[0].values[0]")]
    [InlineData("steps", "[]", "STEP_COUNT", "steps")]
    [InlineData("steps[1].id", "\"d\"", "DUPLICATE_STEP", "steps[1].id")]
    [InlineData("steps[0].id", "\"\"", "BAD_ID", "steps[0].id")]
    [InlineData("steps[0].next", "\"gone\"", "DANGLING_STEP", "steps[0].next")]
    [InlineData("steps[0].delay.amount", "null", "MISSING_FIELD", "steps[0].delay.amount")]
    [InlineData("steps[0].delay.amount", "-1", "OUT_OF_RANGE", "steps[0].delay.amount")]
    [InlineData("steps[0].delay.amount", "3651", "OUT_OF_RANGE", "steps[0].delay.amount")]
    [InlineData("steps[0].delay.unit", "null", "MISSING_FIELD", "steps[0].delay.unit")]
    [InlineData("steps[0].delay", "null", "INCOMPLETE_STEP", "steps[0]")]
    [InlineData("steps[1].next", "\"s\"", "NEXT_ON_BRANCH", "steps[1].next")]
    [InlineData("steps[1].branch.branches", "[]", "BRANCH_COUNT", "steps[1].branch.branches")]
    [InlineData("steps[1].branch.branches[0].name", "\"\"", "BAD_NAME", "steps[1].branch.branches[0].name")]
    [InlineData("steps[1].branch.branches[0].next", "\"gone\"", "DANGLING_STEP", "steps[1].branch.branches[0].next")]
    [InlineData("steps[1].branch.branches[0].criteria", "null", "NO_CRITERIA", "steps[1].branch.branches[0].criteria")]
    [InlineData("steps[1].branch.defaultNext", "\"gone\"", "DANGLING_STEP", "steps[1].branch.defaultNext")]
    [InlineData("steps[1].branch.defaultNext", "\"\"", "NO_DEFAULT", "steps[1].branch.defaultNext")]
    [InlineData("steps[2].setProperty.property", "\"nope\"", "UNDECLARED_PROPERTY", "steps[2].setProperty.property")]
    [InlineData("steps[2].setProperty.value", "\"\"", "VALUE_OR_CLEAR", "steps[2].setProperty.value")]
    [InlineData("steps[3].worker.queue", "\"\"", "BAD_NAME", "steps[3].worker.queue")]
    [InlineData("steps[3].worker.properties[0]", "\"nope\"", "UNDECLARED_PROPERTY", "steps[3].worker.properties[0]")]
    [InlineData("steps[3].worker.fields[0].name", "\"\"", "BAD_FIELD", "steps[3].worker.fields[0]")]
    [InlineData("steps[3].worker.timeout", "\"1s\"", "OUT_OF_RANGE", "steps[3].worker.timeout")]
    public void EDT_03_A_problem_names_its_path_and_code(string where, string json, string code, string path)
    {
        var problems = Problems(With(where, json));
        Assert.Contains(problems, p => p.Path == path && p.Code == code);
    }

    [Fact]
    public void EDT_03_Warnings_do_not_refuse_and_come_after_errors()
    {
        var problems = Problems(With("steps[3].next", "\"s\""));
        Assert.Equal(["LOOP_WITHOUT_DELAY"], Problems(With("steps[3]", """{ "id": "t", "next": "s", "setProperty": { "property": "stage", "value": "y" } }""")).Where(p => !p.IsError).Select(p => p.Code));
        Assert.DoesNotContain(problems, p => p.IsError);
        var mixed = Problems(With("steps[1].branch.defaultNext", "\"\"", With("steps[0].delay.amount", "-1")));
        Assert.Equal(mixed.OrderByDescending(p => p.IsError), mixed);
        Assert.Contains(Problems(With("firstStep", "\"s\"")), p => p is { Code: "UNREACHABLE_STEP", Path: "steps[0]", IsError: false });
    }

    [Fact]
    public void EDT_03_Everything_wrong_is_told_at_once()
    {
        var broken = With("steps[0].delay.amount", "-1", With("steps[3].worker.queue", "\"\"", With("goals[0].id", "\"\"")));
        Assert.Equal(3, Problems(broken).Count(p => p.IsError));
    }

    [Fact]
    public void REN_06_Negative_operators_and_several_values_are_refused_as_re_enrollment_trigger()
    {
        foreach (var name in new[] { "IS_UNKNOWN", "IS_BLANK", "IS_NOT_EQUAL_TO", "DOES_NOT_CONTAIN", "HAS_NEVER_BEEN_EQUAL_TO", "HAS_NEVER_CONTAINED" })
        {
            var values = name is "IS_UNKNOWN" or "IS_BLANK" ? "[]" : "[\"x\"]";
            var problems = Problems(With("start.reenrollWhen[0].anyOf[0].allOf[0]", $$"""{ "property": "stage", "operator": "{{name}}", "values": {{values}} }"""));
            Assert.Contains(problems, p => p is { Code: "REENROLL_OPERATOR", IsError: true });
        }

        var many = Problems(With("start.reenrollWhen[0].anyOf[0].allOf[0]", """{ "property": "tags", "operator": "IS_ANY_OF", "values": ["x", "y"] }"""));
        Assert.Contains(many, p => p is { Code: "REENROLL_OPERATOR", IsError: true });
    }

    [Theory]
    [InlineData("OPENED")]
    [InlineData("OPENED_BUT_LINK_NOT_CLICKED")]
    [InlineData("OPENED_BUT_NOT_REPLIED")]
    [InlineData("RECEIVED_BUT_NOT_OPENED")]
    [InlineData("SENT_BUT_LINK_NOT_CLICKED")]
    [InlineData("SENT_BUT_NOT_RECEIVED")]
    public void FIL_33_A_filter_on_an_email_can_be_published_also_one_of_two_parts(string name) =>
        Assert.Empty(Problems(With("start.filter.criteria.anyOf[0].allOf[0]", $$"""{ "email": { "operator": "{{name}}", "emailId": "m" } }""")));

    private static IReadOnlyList<WorkflowProblem> Problems(string json)
    {
        var workflow = JsonParser.Default.Parse<Workflow>(json);
        var schema = TenantSchema.New(TenantSettings.Default);
        foreach (var (name, type) in new[] { ("stage", PropertyType.String), ("score", PropertyType.Number), ("tags", PropertyType.Enumeration) })
        {
            schema = schema.WithProperty(schema.FindObjectType("contact")!, name, type, ["x", "y"]);
        }

        var numbers = new Dictionary<string, int>();
        var compiled = WorkflowCompiler.Compile(
            WorkflowMapping.ToCore(workflow), new WorkflowIdentity(workflow.Id, 1, 1, WorkflowState.On, new Timestamp(1)), new DefinitionScope(schema, [], []),
            id => numbers.TryGetValue(id, out var n) ? n : numbers[id] = numbers.Count + 1, _ => 1, out var problems);
        Assert.Equal(problems.Any(p => p.IsError), compiled is null);
        Assert.All(problems, p => Assert.True(p.Message.Length > 0 && ValueMappingIsReadable(p.Path), p.Path));
        return problems;
    }

    private static bool ValueMappingIsReadable(string path) => Regex.IsMatch(path, @"^[a-zA-Z]+(\[\d+\])?(\.[a-zA-Z]+(\[\d+\])?)*$");

    private static string With(string path, string json, string? root = null)
    {
        var node = JsonNode.Parse(root ?? Good)!;
        var parts = Regex.Matches(path, @"[a-zA-Z]+|\d+").Select(m => m.Value).ToArray();
        var parent = node;
        foreach (var part in parts[..^1])
        {
            parent = int.TryParse(part, out var index) ? parent[index]! : parent[part]!;
        }

        var value = JsonNode.Parse(json);
        if (int.TryParse(parts[^1], out var last))
        {
            parent.AsArray()[last] = value;
        }
        else
        {
            parent.AsObject().Remove(parts[^1]);
            if (value is not null)
            {
                parent[parts[^1]] = value;
            }
        }

        return node.ToJsonString();
    }
}
