using Google.Protobuf;

namespace Roster.Cli.Output;

/// <summary>Messages as proto3 JSON, with fields at their defaults, so that a program need not know the defaults.</summary>
internal static class JsonOutput
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithPreserveProtoFieldNames(true));
    private static readonly JsonFormatter Short = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    public static string Whole(IMessage message) => Formatter.Format(message);

    /// <summary>On one line, without defaults.</summary>
    public static string Line(IMessage message) => Short.Format(message);
}
