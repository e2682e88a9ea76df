namespace Roster.Engine.Moving;

/// <summary>A file of a tenant is not what was written, or not of a version that this program reads. Nothing of it was taken.</summary>
public sealed class TenantFileException : Exception
{
    /// <summary>Creates the exception.</summary>
    public TenantFileException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
