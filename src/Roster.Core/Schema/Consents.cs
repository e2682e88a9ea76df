namespace Roster.Core.Schema;

/// <summary>Consent of a record is kept in properties with names of their own, so that it has a history and a newest writer like any value.</summary>
public static class Consents
{
    /// <summary>What the names begin with.</summary>
    public const string Prefix = "consent.";

    /// <summary>Name of the property that holds the state of a subscription: <c>SUBSCRIBED</c>, <c>UNSUBSCRIBED</c>, <c>GRANTED</c>, <c>NOT_GRANTED</c>.</summary>
    public static string PropertyOf(string subscription) => Prefix + subscription;
}
