namespace Roster.Core.Workflows;

/// <summary>First letters of names that tell the fields of a task apart. Stored: in journals and tasks.</summary>
public static class TaskMarks
{
    /// <summary>A property of the record.</summary>
    public const char Property = '.';

    /// <summary>A property of the event that enrolled the record.</summary>
    public const char Event = '!';

    /// <summary>Path and query of a request; the name goes on with the method.</summary>
    public const char Request = '/';

    /// <summary>A header of a request, or a part of a message: whom it goes to, its subject.</summary>
    public const char Header = ':';

    /// <summary>Whether a name with this first letter is none of the fields that a definition names.</summary>
    public static bool Contains(char first) => first is Property or Event or Request or Header;
}
