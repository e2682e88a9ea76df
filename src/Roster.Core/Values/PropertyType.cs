namespace Roster.Core.Values;

/// <summary>The type of a property (REC-03). Numbers are stored: they never change.</summary>
public enum PropertyType
{
    /// <summary>Not declared.</summary>
    None = 0,

    /// <summary>Text.</summary>
    String = 1,

    /// <summary>Decimal number.</summary>
    Number = 2,

    /// <summary>true or false.</summary>
    Bool = 3,

    /// <summary>One or several of declared options.</summary>
    Enumeration = 4,

    /// <summary>Calendar date.</summary>
    Date = 5,

    /// <summary>Instant.</summary>
    DateTime = 6,
}
