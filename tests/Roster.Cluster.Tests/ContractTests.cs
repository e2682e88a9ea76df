using System.Reflection;
using Roster.Cluster.Calls;
using Roster.Cluster.Contracts;

namespace Roster.Cluster.Tests;

/// <summary>
/// What silos of two versions say to each other while one follows the other. <c>contracts.txt</c> says how it was; lines may be added, never changed or removed.
/// </summary>
public sealed class ContractTests
{
    [Fact]
    public void Contracts_are_what_was_committed()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "contracts.txt");
        Assert.Equal(File.ReadAllLines(path), Describe());
    }

    [Fact]
    public void Every_type_method_and_member_that_travels_has_a_name_or_number_of_its_own()
    {
        foreach (var type in Types())
        {
            Assert.NotNull(type.GetCustomAttribute<AliasAttribute>());
            Assert.All(type.GetMethods().Where(_ => type.IsInterface), method => Assert.NotNull(method.GetCustomAttribute<AliasAttribute>()));
            Assert.All(type.GetProperties(), property => Assert.NotNull(property.GetCustomAttribute<IdAttribute>()));
        }

        var aliases = Types().Select(t => t.GetCustomAttribute<AliasAttribute>()!.Alias).ToList();
        Assert.Equal(aliases.Count, aliases.Distinct().Count());
    }

    [Theory]
    [InlineData("acme", "contact", "42")]
    [InlineData("acme", "contact", "a/b")]
    [InlineData("acme", "", "")]
    public void A_key_begins_with_a_letter_and_names_its_tenant(string tenant, string type, string id)
    {
        var key = Keys.Record(tenant, type, id);
        Assert.True(char.IsLetter(key[0]));
        Assert.Equal(tenant, Keys.TenantOf(key));
        Assert.Equal(tenant, Keys.TenantOf(Keys.Workflow(tenant, id)));
    }

    [Fact]
    public void An_id_that_no_record_can_have_makes_no_large_key() => Assert.Equal("racme//", Keys.Record("acme", "contact", new string('x', 10_000)));

    private static IEnumerable<Type> Types() => typeof(IRecordGrain).Assembly.GetTypes()
        .Where(t => t.Namespace == typeof(IRecordGrain).Namespace && t.IsPublic).OrderBy(t => t.Name, StringComparer.Ordinal);

    private static IEnumerable<string> Describe()
    {
        foreach (var type in Types())
        {
            yield return $"{type.Name} \"{type.GetCustomAttribute<AliasAttribute>()?.Alias}\"";
            foreach (var method in type.GetMethods().Where(_ => type.IsInterface).OrderBy(m => m.Name, StringComparer.Ordinal))
            {
                var parameters = string.Join(", ", method.GetParameters().Select(p => p.ParameterType.Name));
                yield return $"  \"{method.GetCustomAttribute<AliasAttribute>()?.Alias}\" ({parameters}) {Name(method.ReturnType)}";
            }

            foreach (var property in type.GetProperties().OrderBy(p => p.GetCustomAttribute<IdAttribute>()?.Id))
            {
                yield return $"  {property.GetCustomAttribute<IdAttribute>()?.Id} {property.PropertyType.Name} {property.Name}";
            }
        }

        yield return "Calls";
        foreach (var name in EngineCalls.Names)
        {
            yield return $"  {name}";
        }
    }

    private static string Name(Type type) => type.IsGenericType ? $"{type.GetGenericArguments()[0].Name}" : "-";
}
