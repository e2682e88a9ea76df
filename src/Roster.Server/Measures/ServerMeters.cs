using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Roster.Server.Measures;

/// <summary>Makes the meters of one server, so that what is shown of it is its own also when a process runs several.</summary>
internal sealed class ServerMeters : IMeterFactory
{
    private readonly ConcurrentDictionary<string, Meter> _meters = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Meter Create(MeterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return _meters.GetOrAdd(options.Name, static (name, made) => new Meter(new MeterOptions(name) { Version = made.Options.Version, Tags = made.Options.Tags, Scope = made.Scope }), (Options: options, Scope: this));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var meter in _meters.Values)
        {
            meter.Dispose();
        }
    }
}
