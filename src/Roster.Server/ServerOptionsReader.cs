using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Roster.Server;

/// <summary>Reads a configuration section into <see cref="ServerOptions"/>, strictly: a misspelt setting is an error, not a default.</summary>
internal static class ServerOptionsReader
{
    private static readonly (string Name, PropertyInfo Property)[] Settings =
    [
        .. typeof(ServerOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(property => (property.GetCustomAttribute<ConfigurationKeyNameAttribute>()!.Name, property)),
    ];

    public static ServerOptions Read(IConfigurationSection section)
    {
        var options = new ServerOptions();
        var problems = new List<string>();
        foreach (var child in section.GetChildren())
        {
            var (name, property) = Array.Find(Settings, setting => string.Equals(setting.Name, child.Key, StringComparison.OrdinalIgnoreCase));
            if (name is null)
            {
                problems.Add($"There is no setting `{child.Key}`. The settings are: {string.Join(", ", Settings.Select(setting => setting.Name))}.");
            }
            else if (child.Value is null || !TryParse(property.PropertyType, child.Value, out var value))
            {
                problems.Add($"`{name}` is `{child.Value}`, which is not {Describe(property.PropertyType)}.");
            }
            else
            {
                property.SetValue(options, value);
            }
        }

        problems.AddRange(ServerOptionsValidator.Validate(options));
        return problems.Count == 0 ? options : throw new ServerOptionsException(problems);
    }

    /// <summary>All settings with their values, for the log.</summary>
    public static string Describe(ServerOptions options) =>
        string.Join(", ", Settings.Select(setting => string.Create(CultureInfo.InvariantCulture, $"{setting.Name}={Text(setting, options)}")));

    private static object? Text((string Name, PropertyInfo Property) setting, ServerOptions options) => setting.Name switch
    {
        "postgres" => WithoutSecrets(options.Postgres),
        "admin_key_sha256" => options.AdminKeySha256.Length > 0 ? "(set)" : string.Empty,
        "smtp_password" => options.SmtpPassword.Length > 0 ? "***" : string.Empty,
        _ => Text(setting.Property.GetValue(options)),
    };

    /// <summary>Where the database is, and nothing else that a connection string may hold.</summary>
    private static string WithoutSecrets(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        return parts.Host is null ? string.Empty : $"{parts.Username}@{parts.Host}:{parts.Port}/{parts.Database}";
    }

    private static object? Text(object? value) => value switch
    {
        bool flag => flag ? "true" : "false",
        Enum name => name.ToString().ToLowerInvariant(),
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        _ => value,
    };

    private static bool TryParse(Type type, string text, out object? value)
    {
        value = null;
        if (type == typeof(string))
        {
            value = text;
        }
        else if (type == typeof(int) && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            value = number;
        }
        else if (type == typeof(long) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var large))
        {
            value = large;
        }
        else if (type == typeof(DateTimeOffset) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            value = time;
        }
        else if (type == typeof(bool) && bool.TryParse(text, out var flag))
        {
            value = flag;
        }
        else if (type.IsEnum && text.Length > 0 && !char.IsDigit(text[0]) && Enum.TryParse(type, text, ignoreCase: true, out var name))
        {
            value = name;
        }

        return value is not null;
    }

    private static string Describe(Type type) => type switch
    {
        _ when type.IsEnum => string.Join(" or ", Enum.GetNames(type).Select(name => $"`{name.ToLowerInvariant()}`")),
        _ when type == typeof(DateTimeOffset) => "an instant such as `2026-01-01T00:00:00Z`",
        _ when type == typeof(string) => "a text",
        _ when type == typeof(bool) => "`true` or `false`",
        _ => "a whole number",
    };
}
