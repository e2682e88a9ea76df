namespace Roster.Storage.Postgres.Internal;

/// <summary>How long to go on trying, and how long to wait in between: from 20 ms, twice as long each time, at most a second.</summary>
internal sealed class Patience(PostgresStoreOptions options)
{
    private static readonly TimeSpan WaitMin = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(1);
    private readonly long _since = options.Time.GetTimestamp();
    private TimeSpan _wait = WaitMin;

    public bool IsLeft => options.Time.GetElapsedTime(_since) < options.ReconnectTimeout;

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var wait = _wait;
        _wait = wait * 2 < WaitMax ? wait * 2 : WaitMax;
        return Task.Delay(wait, options.Time, cancellationToken);
    }
}
