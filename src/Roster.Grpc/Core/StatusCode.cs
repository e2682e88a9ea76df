namespace Grpc.Core;

/// <summary>The result codes of a call. The numbers are part of the wire protocol (grpc/grpc doc/statuscodes.md).</summary>
public enum StatusCode
{
    /// <summary>Not an error; the call succeeded.</summary>
    OK = 0,

    /// <summary>The call was cancelled, usually by the caller.</summary>
    Cancelled = 1,

    /// <summary>An error without a better code, for example an exception nobody mapped.</summary>
    Unknown = 2,

    /// <summary>The argument is wrong whatever the state of the system.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed before the call finished. The work may have been done all the same.</summary>
    DeadlineExceeded = 4,

    /// <summary>The thing asked for was not found.</summary>
    NotFound = 5,

    /// <summary>The thing to create exists already.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A quota or a size limit is used up.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is not in the state that the call needs; repeating it does not help.</summary>
    FailedPrecondition = 9,

    /// <summary>The call lost against a concurrent one; repeat it at a higher level.</summary>
    Aborted = 10,

    /// <summary>A position is past the valid range.</summary>
    OutOfRange = 11,

    /// <summary>The method is unknown or not supported here.</summary>
    Unimplemented = 12,

    /// <summary>An invariant is broken, or the peer broke the protocol.</summary>
    Internal = 13,

    /// <summary>The service cannot be reached now; repeating the call after a pause may help.</summary>
    Unavailable = 14,

    /// <summary>Data is lost or damaged for good.</summary>
    DataLoss = 15,

    /// <summary>The caller has no valid credentials.</summary>
    Unauthenticated = 16,
}
