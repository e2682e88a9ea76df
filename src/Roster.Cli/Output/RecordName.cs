using Roster.V1;

namespace Roster.Cli.Output;

/// <summary>A record on the command line: <c>contact/ada@example.org</c>.</summary>
internal static class RecordName
{
    public static RecordRef Parse(string name)
    {
        var at = name.IndexOf('/', StringComparison.Ordinal);
        return at > 0 && at < name.Length - 1
            ? new RecordRef { ObjectType = name[..at], RecordId = name[(at + 1)..] }
            : throw new CliException($"`{name}` does not name a record; write its object type and id: `contact/ada@example.org`.");
    }

    public static string Of(RecordRef? reference) => reference is null ? "" : $"{reference.ObjectType}/{reference.RecordId}";
}
