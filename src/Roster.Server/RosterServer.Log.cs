using Microsoft.Extensions.Logging;

namespace Roster.Server;

/// <content>What a server says about its life. Event ids 1000 to 1099.</content>
public sealed partial class RosterServer
{
    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, Message = "Settings: {Settings}")]
    private partial void LogSettings(string settings);

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "gRPC on {GrpcAddress}, health on {HttpAddress}")]
    private partial void LogListening(Uri grpcAddress, Uri httpAddress);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Information, Message = "No credentials are configured: listening on loopback only")]
    private partial void LogNoCredentials();

    [LoggerMessage(EventId = 1010, Level = LogLevel.Information, Message = "Webhooks go to public addresses only; `webhook_allow` is empty")]
    private partial void LogPublicWebhooks();

    [LoggerMessage(EventId = 1011, Level = LogLevel.Warning, Message = "Webhooks may also be sent to these addresses (`webhook_allow`): {Ranges}")]
    private partial void LogAllowedWebhooks(string ranges);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Information, Message = "Stopping; streams have {DrainSecondsMax} s to end (`drain_seconds_max`)")]
    private partial void LogStopping(int drainSecondsMax);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Information, Message = "Stopped")]
    private partial void LogStopped();

    [LoggerMessage(EventId = 1005, Level = LogLevel.Critical, Message = "The engine has failed; it recovers when the server is started again")]
    private partial void LogEngineFailed(Exception? reason);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Information, Message = "Credentials are required ({Tls})")]
    private partial void LogCredentials(string tls);

    [LoggerMessage(EventId = 1007, Level = LogLevel.Information, Message = "The TLS certificate was read again (`tls_certificate`)")]
    private partial void LogCertificateRenewed();

    [LoggerMessage(EventId = 1008, Level = LogLevel.Error, Message = "The TLS certificate has changed and cannot be read; the one before stays in use (`tls_certificate`)")]
    private partial void LogCertificateUnreadable(Exception reason);

    [LoggerMessage(EventId = 1009, Level = LogLevel.Warning, Message = "Credentials are required, and TLS is left to something else (`allow_plaintext`)")]
    private partial void LogPlaintext();
}
