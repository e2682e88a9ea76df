using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>
/// A service or interceptor for the time of one call: taken from the services of the request if it is registered there,
/// else created for the call and disposed after it.
/// </summary>
internal sealed class CallScoped<T>
    where T : class
{
    private readonly Type _type;
    private readonly object[] _arguments;
    private readonly Lazy<ObjectFactory> _factory;

    public CallScoped([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type type, params object[] arguments)
    {
        _type = type;
        _arguments = arguments;
        Type[] argumentTypes = [.. arguments.Select(argument => argument.GetType())];
        _factory = new Lazy<ObjectFactory>(() => ActivatorUtilities.CreateFactory(type, argumentTypes));
    }

    public Task UseAsync(ServerCallContext context, Func<T, Task> use)
    {
        IServiceProvider services = context.GetHttpContext().RequestServices;
        return Registered(services) is { } registered ? use(registered) : UseCreatedAsync(services, use);
    }

    public Task<TResult> UseAsync<TResult>(ServerCallContext context, Func<T, Task<TResult>> use)
    {
        IServiceProvider services = context.GetHttpContext().RequestServices;
        return Registered(services) is { } registered ? use(registered) : UseCreatedAsync(services, use);
    }

    private T? Registered(IServiceProvider services) => _arguments.Length == 0 ? (T?)services.GetService(_type) : null;

    private async Task UseCreatedAsync(IServiceProvider services, Func<T, Task> use)
    {
        var created = (T)_factory.Value(services, _arguments);
        try
        {
            await use(created);
        }
        finally
        {
            await DisposeAsync(created);
        }
    }

    private async Task<TResult> UseCreatedAsync<TResult>(IServiceProvider services, Func<T, Task<TResult>> use)
    {
        var created = (T)_factory.Value(services, _arguments);
        try
        {
            return await use(created);
        }
        finally
        {
            await DisposeAsync(created);
        }
    }

    private static ValueTask DisposeAsync(T created)
    {
        if (created is IAsyncDisposable asyncDisposable)
        {
            return asyncDisposable.DisposeAsync();
        }

        (created as IDisposable)?.Dispose();
        return default;
    }
}
