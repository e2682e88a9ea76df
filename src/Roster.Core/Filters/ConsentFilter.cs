using System.Collections.Immutable;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>The state of a consent is one of the accepted ones (FIL-34). Who never answered has no state and is rejected.</summary>
internal sealed class ConsentFilter(FilterLabel label, string subscription, PropertyDefinition property, ImmutableArray<string> anyOf) : Filter(label)
{
    public override bool Accepts(in Judging judging) =>
        judging.State.TryGetProperty(property.Number, judging.IsBefore, out var view) && !view.IsUnknown && IsAccepted(view.Value);

    public override void AddNeeds(CriteriaNeeds needs) => needs.Properties.Add(property.Number);

    public override string Actual(in Judging judging) => PropertyFilter.TextOf(judging, property.Number);

    public override string Change(in Judging judging, bool isWanted) => isWanted
        ? $"set the consent {subscription} to {string.Join(" or ", anyOf)}"
        : $"set the consent {subscription} to another state than {string.Join(" or ", anyOf)}";

    private bool IsAccepted(in Value value)
    {
        var state = value.Type == PropertyType.Enumeration ? value.Options[0] : value.ToString();
        return anyOf.Contains(state, StringComparer.Ordinal);
    }
}
