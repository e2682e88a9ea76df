using System.Globalization;
using Roster.Core;
using Roster.Core.Workflows;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Checks of requests that need no engine.</summary>
internal static class Check
{
    /// <summary>A reference must be there; whether it is well formed is for the engine to say.</summary>
    public static RecordRef Reference(RecordRef? reference) => reference ?? throw Missing("ref", "`ref` is missing: it names the record.");

    /// <summary>A text must not be empty.</summary>
    public static string Text(string path, string value) => value.Length > 0 ? value : throw Missing(path, $"`{path}` is empty.");

    /// <summary>A queue that workers lease from; those of the engine itself are not.</summary>
    public static string Queue(string path, string value) => Text(path, value)[0] != TaskQueues.Own
        ? value
        : throw RosterException.Invalid(path, value, $"Queue `{value}` is worked off by the engine itself.");

    /// <summary>A message must be there.</summary>
    public static T Present<T>(string path, T? message)
        where T : class => message ?? throw Missing(path, $"`{path}` is missing.");

    /// <summary>A number must be in its range.</summary>
    public static void Range(string path, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            throw RosterException.Invalid(path, value.ToString(CultureInfo.InvariantCulture), $"`{path}` is {value}; it must be from {min} to {max}.");
        }
    }

    private static RosterException Missing(string path, string message) =>
        RosterException.Invalid(new Core.Refusal(RefusalReason.MissingField, path, "", message));
}
