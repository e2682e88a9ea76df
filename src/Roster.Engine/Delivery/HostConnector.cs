using System.Net;
using System.Net.Sockets;

namespace Roster.Engine.Delivery;

/// <summary>Finds the addresses of a host. The only place that asks the name service.</summary>
public interface IHostResolver
{
    /// <summary>The addresses of a host name, or the address itself when the name is one.</summary>
    /// <exception cref="SocketException">There is no such host, or no answer.</exception>
    Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken);
}

/// <summary>Asks the system.</summary>
public sealed class SystemHostResolver : IHostResolver
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) =>
        await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
}

/// <summary>A host has an address that must not be connected to. Its message names the setting.</summary>
public sealed class AddressRefusedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public AddressRefusedException(string host, IPAddress address)
        : base($"Host '{host}' has the address {address}, which is not public; the operator may allow its range (setting webhook_allow).")
    {
    }
}

/// <summary>
/// Connects to hosts whose addresses may be connected to. The addresses that were checked are the ones that are connected to: a name service that
/// changes its answer meanwhile is not asked again.
/// </summary>
public sealed class HostConnector(AddressRules rules, IHostResolver resolver)
{
    /// <summary>The rules.</summary>
    public AddressRules Rules => rules;

    /// <summary>Finds the addresses of a host and checks each one: a host with one refused address is refused.</summary>
    /// <exception cref="AddressRefusedException">An address is refused.</exception>
    /// <exception cref="SocketException">The host was not found.</exception>
    public async Task<IReadOnlyList<IPAddress>> FindAsync(string host, CancellationToken cancellationToken)
    {
        var addresses = await resolver.ResolveAsync(host, cancellationToken).ConfigureAwait(false);
        if (addresses.Count == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        foreach (var address in addresses)
        {
            if (!rules.Allows(address))
            {
                throw new AddressRefusedException(host, address);
            }
        }

        return addresses;
    }

    /// <summary>Connects to the first address that answers.</summary>
    /// <exception cref="AddressRefusedException">An address of the host is refused; nothing was connected to.</exception>
    /// <exception cref="SocketException">The host was not found, or none of its addresses answered.</exception>
    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = await FindAsync(host, cancellationToken).ConfigureAwait(false);
        SocketException? failed = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException failure)
            {
                socket.Dispose();
                failed = failure;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw failed!;
    }
}
