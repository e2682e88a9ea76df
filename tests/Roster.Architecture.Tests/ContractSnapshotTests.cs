using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;

namespace Roster.Architecture.Tests;

/// <summary>
/// Nothing that clients or stored bytes rely on goes or changes: every line of <c>protos/contract.txt</c> still holds. What is new is not in it before
/// <c>UPDATE_CONTRACT=1 dotnet test tests/Roster.Architecture.Tests</c> writes it anew, which a release does; a line that the file loses is a breaking change.
/// </summary>
public sealed partial class ContractSnapshotTests
{
    private static readonly string Snapshot = Path.Combine(Repository.Root, "protos", "contract.txt");

    [Fact]
    public void Nothing_of_the_contract_goes_or_changes()
    {
        var present = Files().SelectMany(Lines).Distinct().Order(StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable("UPDATE_CONTRACT") == "1")
        {
            File.WriteAllLines(Snapshot, present);
        }

        var promised = File.ReadAllLines(Snapshot);
        Assert.True(promised.Length > 1_000, "The snapshot is too short to be one.");
        Assert.Empty(promised.Except(present));
    }

    [Fact]
    public void A_change_of_each_kind_is_seen()
    {
        var present = Files().SelectMany(Lines).ToHashSet();
        Assert.Contains("field roster.v1.Event 1 event_id String singular", present);
        Assert.Contains("field roster.v1.Event 7 properties roster.v1.PropertyValue repeated", present);
        Assert.Contains("field roster.v1.TenantSettings 2 upsert Bool optional", present);
        Assert.Contains("field roster.v1.Value 1 text String oneof kind", present);
        Assert.Contains("value roster.v1.EventResult.Code 4 REFUSED", present);
        Assert.Contains("method roster.v1.IngestService/Stream stream roster.v1.StreamRequest -> stream roster.v1.StreamResponse", present);
    }

    [Fact]
    public void Names_follow_the_style()
    {
        var wrong = new List<string>();
        foreach (var file in Files())
        {
            Check(PackageName().IsMatch(file.Package), $"package {file.Package}");
            foreach (var service in file.Services)
            {
                Check(service.Name.EndsWith("Service", StringComparison.Ordinal), service.FullName);
                Check(service.Methods.All(method => Pascal().IsMatch(method.Name)), $"methods of {service.FullName}");
            }

            foreach (var message in Messages(file.MessageTypes))
            {
                Check(Pascal().IsMatch(message.Name), message.FullName);
                Check(message.Fields.InDeclarationOrder().All(field => Snake().IsMatch(field.Name)), $"fields of {message.FullName}");
            }

            foreach (var type in Enums(file))
            {
                Check(Pascal().IsMatch(type.Name), type.FullName);
                Check(type.FindValueByNumber(0)?.Name.EndsWith("_UNSPECIFIED", StringComparison.Ordinal) == true, $"value 0 of {type.FullName}");
                Check(type.Values.All(value => Upper().IsMatch(value.Name)), $"values of {type.FullName}");
            }
        }

        Assert.Empty(wrong);

        void Check(bool isFine, string what)
        {
            if (!isFine)
            {
                wrong.Add(what);
            }
        }
    }

    private static IEnumerable<FileDescriptor> Files() => typeof(V1.Event).Assembly.GetTypes()
        .Where(type => type.Name.EndsWith("Reflection", StringComparison.Ordinal) && type.Namespace?.StartsWith("Roster.", StringComparison.Ordinal) == true)
        .Select(type => type.GetProperty("Descriptor")?.GetValue(null))
        .OfType<FileDescriptor>();

    private static IEnumerable<string> Lines(FileDescriptor file)
    {
        foreach (var field in Messages(file.MessageTypes).SelectMany(message => message.Fields.InDeclarationOrder()))
        {
            var type = field.FieldType switch
            {
                FieldType.Message => field.MessageType.FullName,
                FieldType.Enum => field.EnumType.FullName,
                var plain => plain.ToString(),
            };
            var label = field.IsRepeated ? "repeated"
                : field.RealContainingOneof is { } oneof ? $"oneof {oneof.Name}"
                : field.HasPresence && field.FieldType != FieldType.Message ? "optional"
                : "singular";
            yield return $"field {field.ContainingType.FullName} {field.FieldNumber} {field.Name} {type} {label}";
        }

        foreach (var value in Enums(file).SelectMany(type => type.Values))
        {
            yield return $"value {value.EnumDescriptor.FullName} {value.Number} {value.Name}";
        }

        foreach (var method in file.Services.SelectMany(service => service.Methods))
        {
            yield return $"method {method.Service.FullName}/{method.Name} {Stream(method.IsClientStreaming)}{method.InputType.FullName} -> {Stream(method.IsServerStreaming)}{method.OutputType.FullName}";
        }
    }

    private static string Stream(bool isStream) => isStream ? "stream " : string.Empty;

    private static IEnumerable<MessageDescriptor> Messages(IEnumerable<MessageDescriptor> types) =>
        types.SelectMany(type => Messages(type.NestedTypes).Prepend(type)).Where(type => !type.Name.EndsWith("Entry", StringComparison.Ordinal) || type.ClrType is not null);

    private static IEnumerable<EnumDescriptor> Enums(FileDescriptor file) => file.EnumTypes.Concat(Messages(file.MessageTypes).SelectMany(message => message.EnumTypes));

    [GeneratedRegex(@"^roster(\.storage)?\.v\d+$")]
    private static partial Regex PackageName();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]*$")]
    private static partial Regex Pascal();

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex Snake();

    [GeneratedRegex("^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")]
    private static partial Regex Upper();
}
