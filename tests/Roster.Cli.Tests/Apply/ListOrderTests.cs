using Roster.Cli.Apply;
using Roster.V1;

namespace Roster.Cli.Tests.Apply;

public sealed class ListOrderTests
{
    [Fact]
    public void A_list_comes_after_those_it_refers_to_and_otherwise_where_it_was()
    {
        var lists = new[] { Of("c", "b"), Of("a"), Of("b", "d"), Of("d"), Of("e", "elsewhere") };
        Assert.Equal(["a", "d", "b", "c", "e"], ListOrder.Sort(lists, list => list).Select(list => list.Id));
    }

    [Fact]
    public void A_circle_keeps_its_order_for_the_server_to_refuse()
    {
        var lists = new[] { Of("a", "b"), Of("b", "a") };
        Assert.Equal(["a", "b"], ListOrder.Sort(lists, list => list).Select(list => list.Id));
    }

    [Fact]
    public void A_reference_of_an_associated_record_counts()
    {
        var deals = Of("deals");
        var owners = new List { Id = "owners", ObjectType = "contact", Criteria = new Criteria { AnyOf = { new FilterGroup() } } };
        owners.Criteria.AnyOf[0].AllOf.Add(new Filter
        {
            Associated = new AssociatedFilter { ObjectType = "deal", AllOf = { new Filter { List = new ListFilter { ListId = "deals" } } } },
        });
        Assert.Equal(["deals", "owners"], ListOrder.Sort([owners, deals], list => list).Select(list => list.Id));
    }

    private static List Of(string id, params string[] references)
    {
        var list = new List { Id = id, ObjectType = "contact", Criteria = new Criteria { AnyOf = { new FilterGroup() } } };
        list.Criteria.AnyOf[0].AllOf.AddRange(references.Select(reference => new Filter { List = new ListFilter { ListId = reference } }));
        return list;
    }
}
