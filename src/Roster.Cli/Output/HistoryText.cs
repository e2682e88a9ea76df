using System.Globalization;
using Roster.V1;

namespace Roster.Cli.Output;

/// <summary>Entries of an enrollment history as text for people.</summary>
internal static class HistoryText
{
    /// <summary>What happened: <c>enrolled #2</c>, <c>not enrolled SUPPRESSED</c>, <c>ended #2 GOAL_MET</c>.</summary>
    public static string What(EnrollmentHistoryEntry entry) => entry.Decision switch
    {
        Decision.Types.Code.Unspecified => string.Create(CultureInfo.InvariantCulture, $"ended #{entry.EnrollmentNumber} {ProtoNames.Of(entry.EndReason)}"),
        Decision.Types.Code.Enrolled => string.Create(CultureInfo.InvariantCulture, $"enrolled #{entry.EnrollmentNumber}"),
        _ => $"not enrolled {ProtoNames.Of(entry.Decision)}",
    };
}
