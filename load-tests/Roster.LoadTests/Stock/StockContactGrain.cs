#if FULL_FEED
using Roster.V1;

namespace Roster.LoadTests.Stock;

/// <summary>
/// What one writes in an afternoon: a contact is a grain with stock ADO.NET storage, an event is a call, and each call ends with one <c>WriteStateAsync</c>. It
/// enrolls in nothing, keeps no history and does not know an event that comes twice.
/// </summary>
[Alias("load.stock-contact")]
internal interface IStockContactGrain : IGrainWithStringKey
{
    /// <summary>Sets the properties that an event writes; returns when they are stored.</summary>
    /// <param name="written">The event, encoded.</param>
    [Alias("apply")]
    Task ApplyAsync(byte[] written);
}

/// <summary>The properties of a contact.</summary>
[GenerateSerializer]
[Alias("load.stock-state")]
internal sealed class StockState
{
    /// <summary>Values by name.</summary>
    [Id(0)]
    public Dictionary<string, string> Properties { get; set; } = [];
}

/// <inheritdoc cref="IStockContactGrain"/>
internal sealed class StockContactGrain([PersistentState("contact", StockSilo.Storage)] IPersistentState<StockState> state) : Grain, IStockContactGrain
{
    /// <inheritdoc/>
    public Task ApplyAsync(byte[] written)
    {
        foreach (var write in Event.Parser.ParseFrom(written).Writes)
        {
            state.State.Properties[write.Name] = write.Value.Text;
        }

        return state.WriteStateAsync();
    }
}
#endif
