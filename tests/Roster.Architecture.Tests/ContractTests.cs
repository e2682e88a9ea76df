using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Roster.Protocol.Mapping;

namespace Roster.Architecture.Tests;

/// <summary>The public contract: enums equal those of Core, and every field is explained.</summary>
public sealed partial class ContractTests
{
    public static TheoryData<Type, Type> Mirrored() => new()
    {
        { typeof(Roster.Core.Journal.Decision), typeof(V1.Decision.Types.Code) },
        { typeof(Roster.Core.Journal.EndReason), typeof(V1.Enrollment.Types.EndReason) },
        { typeof(Roster.Core.Filters.Operator), typeof(V1.Filter.Types.Operator) },
        { typeof(Roster.Core.Values.PropertyType), typeof(V1.PropertyType.Types.Kind) },
        { typeof(Roster.Core.RefusalReason), typeof(V1.Refusal.Types.Reason) },
        { typeof(Roster.Core.Workflows.WorkflowState), typeof(V1.Workflow.Types.State) },
        { typeof(Roster.Core.Workflows.DelayUnit), typeof(V1.Delay.Types.Unit) },
        { typeof(Roster.Core.Workflows.StartKind), typeof(V1.Start.KindOneofCase) },
    };

    public static TheoryData<string> Protos() => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "protos", "roster", "v1"), "*.proto").Select(Repository.Relative).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Mirrored))]
    public void An_enum_of_Core_has_the_names_and_numbers_of_the_contract(Type core, Type wire) => Assert.Equal(Members(wire), Members(core));

    [Fact]
    public void No_two_names_of_an_enum_of_Core_are_one_stored_number()
    {
        var shared = typeof(Roster.Core.Timestamp).Assembly.GetTypes().Where(type => type.IsEnum)
            .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static).GroupBy(name => Convert.ToInt64(name.GetRawConstantValue(), CultureInfo.InvariantCulture)))
            .Where(same => same.Count() > 1)
            .Select(same => $"{same.First().DeclaringType!.Name} {same.Key}: {string.Join(", ", same.Select(name => name.Name))}");
        Assert.Empty(shared);
    }

    [Fact]
    public void Entry_kinds_that_are_shown_have_the_names_and_numbers_of_the_contract()
    {
        var shown = Enum.GetValues<Roster.Core.Journal.EntryKind>().Where(JournalMapping.IsShown).ToDictionary(k => k.ToString(), k => (int)k);
        Assert.Equal(Members(typeof(V1.JournalEntry.Types.Kind)), shown.Select(k => (k.Value, Spelling(k.Key))).Order());
    }

    [Theory]
    [MemberData(nameof(Protos))]
    public void Every_field_service_and_method_has_a_comment(string path)
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, path));
        var without = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (Declaration().IsMatch(lines[i]) && !lines[i].Contains("//", StringComparison.Ordinal) && !lines[i - 1].TrimStart().StartsWith("//", StringComparison.Ordinal))
            {
                without.Add($"{path}:{i + 1}: {lines[i].Trim()}");
            }
        }

        Assert.Empty(without);
    }

    [Theory]
    [MemberData(nameof(Protos))]
    public void A_field_number_is_used_once_per_message(string path)
    {
        var messages = new Stack<(string Name, HashSet<string> Numbers)>();
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, path)).Select(l => l.Split("//")[0]))
        {
            if (BlockStart().Match(line) is { Success: true } block)
            {
                messages.Push(block.Groups[1].Value == "oneof" ? messages.Peek() : (block.Groups[2].Value, []));
            }
            else if (Field().Match(line) is { Success: true } field && messages.Count > 0)
            {
                Assert.True(messages.Peek().Numbers.Add(field.Groups[1].Value), $"{path}: number {field.Groups[1].Value} is used twice in {messages.Peek().Name}.");
            }

            if (line.Contains('}', StringComparison.Ordinal) && !line.Contains('{', StringComparison.Ordinal))
            {
                messages.Pop();
            }
        }
    }

    private static IEnumerable<(int, string)> Members(Type type) => Enum.GetValues(type).Cast<object>().Select(v => ((int)v, Spelling(v.ToString()!))).Order();

    /// <summary>0 is "none" in Core and "unspecified" in the contract.</summary>
    private static string Spelling(string name) => name is "None" or "Unspecified" ? "none" : name.ToUpperInvariant();

    [GeneratedRegex(@"^\s*((optional|repeated)\s+)?[\w.]+\s+\w+\s*=\s*\d+\s*(\[.*\])?;|^\s*rpc\s|^service\s|^message\s")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^\s*(message|enum|oneof|service)\s+(\w+)\s*\{(?!.*\})")]
    private static partial Regex BlockStart();

    [GeneratedRegex(@"=\s*(\d+)\s*(?:\[.*\])?;")]
    private static partial Regex Field();
}
