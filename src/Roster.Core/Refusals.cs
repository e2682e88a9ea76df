namespace Roster.Core;

/// <summary>Why an input was refused. Numbers equal those of <c>roster.v1.Refusal.Reason</c>.</summary>
public enum RefusalReason
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>A required field is empty.</summary>
    MissingField = 1,

    /// <summary>A field is too long, has forbidden characters, is listed twice or cannot be read.</summary>
    InvalidField = 2,

    /// <summary>The object type is not declared.</summary>
    UndeclaredObjectType = 3,

    /// <summary>The property is not declared.</summary>
    UndeclaredProperty = 4,

    /// <summary>The value is not of the property's type.</summary>
    WrongType = 5,

    /// <summary>The option is not declared.</summary>
    UndeclaredOption = 6,

    /// <summary>Over a size limit.</summary>
    TooLarge = 7,

    /// <summary>The record is gone, or unknown with <c>upsert = false</c>.</summary>
    RecordGone = 8,

    /// <summary>No workflow of that id.</summary>
    UnknownWorkflow = 9,

    /// <summary>A limit is reached.</summary>
    LimitReached = 10,

    /// <summary>The turn failed inside the engine.</summary>
    Internal = 11,
}

/// <summary>A typed "no" with what a person needs to mend it.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Path">The field in question.</param>
/// <param name="Value">The value in question, cut to 100 characters.</param>
/// <param name="Message">One sentence: the thing, the value, the limit.</param>
/// <param name="Setting">The setting that changes the outcome; empty where there is none.</param>
public sealed record Refusal(RefusalReason Reason, string Path, string Value, string Message, string Setting = "")
{
    /// <summary>Cuts a value for a message.</summary>
    public static string Cut(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Length <= 100 ? value : string.Concat(value.AsSpan(0, 99), "…");
    }
}
