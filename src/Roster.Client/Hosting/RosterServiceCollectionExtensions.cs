using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Roster.Client.Hosting;

/// <summary>Clients and workers as services of a host.</summary>
public static class RosterServiceCollectionExtensions
{
    /// <summary>
    /// Adds one <see cref="RosterClient"/> for the whole process, made when it is first asked for. A <see cref="TimeProvider"/> among the services
    /// becomes its clock. A second call changes nothing.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Says how to reach the server; null for the defaults, <c>http://127.0.0.1:7400</c> and the tenant <c>default</c>.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddRosterClient(this IServiceCollection services, Action<RosterClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(provider =>
        {
            var options = new RosterClientOptions { Clock = provider.GetService<TimeProvider>() ?? TimeProvider.System };
            configure?.Invoke(options);
            return new RosterClient(options);
        });
        return services;
    }

    /// <summary>
    /// Adds a worker that runs as long as the host: it takes the tasks of a queue and gives each to a <typeparamref name="THandler"/> of its own, in
    /// a scope of its own. Call it once per queue. When the host stops no new task is begun, and those begun are finished and reported, as long
    /// as the host's shutdown timeout allows. A server that goes away is waited for; one that refuses this worker for good stops the host.
    /// </summary>
    /// <typeparam name="THandler">Carries out the tasks. Added as a transient service, unless it is a service already.</typeparam>
    /// <param name="services">The services. A <see cref="RosterClient"/> with the defaults is added when there is none.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="configure">Changes the options of the worker, such as how many tasks it carries out at once; null for the defaults.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentException">The queue is empty.</exception>
    public static IServiceCollection AddRosterWorker<THandler>(this IServiceCollection services, string queue, Action<RosterWorkerOptions>? configure = null)
        where THandler : class, IRosterTaskHandler
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddTransient<THandler>();
        return Add(services, queue, configure, provider => async (task, cancellationToken) =>
        {
            var scope = provider.CreateAsyncScope();
            await using (scope.ConfigureAwait(false))
            {
                return await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(task, cancellationToken).ConfigureAwait(false);
            }
        });
    }

    /// <summary>As <see cref="AddRosterWorker{THandler}"/>, with a delegate that carries out the tasks.</summary>
    /// <param name="services">The services. A <see cref="RosterClient"/> with the defaults is added when there is none.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="handler">Carries out one task. Throwing is a failure that may be retried.</param>
    /// <param name="configure">Changes the options of the worker; null for the defaults.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentException">The queue is empty.</exception>
    public static IServiceCollection AddRosterWorker(
        this IServiceCollection services, string queue, TaskHandler handler, Action<RosterWorkerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(handler);
        return Add(services, queue, configure, _ => handler);
    }

    private static IServiceCollection Add(
        IServiceCollection services, string queue, Action<RosterWorkerOptions>? configure, Func<IServiceProvider, TaskHandler> handler)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        services.AddRosterClient();

        // Not AddHostedService: that adds one service per type, and here each queue is one.
        services.AddSingleton<IHostedService>(provider =>
        {
            var options = new RosterWorkerOptions { Queue = queue };
            configure?.Invoke(options);
            return new RosterWorkerService(
                provider.GetRequiredService<RosterClient>(), options, handler(provider), provider.GetRequiredService<ILogger<RosterWorkerService>>());
        });
        return services;
    }
}
