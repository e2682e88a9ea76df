using System.Text.RegularExpressions;
using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Where values come from (ACT-06), and the action that writes one (ACT-20).</content>
internal sealed partial class FlowReader
{
    private bool SetProperty(Node fields, Step step)
    {
        var name = Ids.KeepName(fields["property_name"], "property");
        var set = new SetProperty { Property = name };
        step.SetProperty = set;
        var type = ObjectType;
        if (fields["association"].Exists)
        {
            if (AssociatedSource(fields["association"]) is not { } source)
            {
                return false;
            }

            set.DataSource = source.Name;
            type = source.ObjectType;
        }

        var value = fields["value"];
        var kind = ValueType(value);
        switch (kind)
        {
            case "STATIC_VALUE":
                Static(value["staticValue"], set);
                break;
            case "TIMESTAMP" when value["timestampType"].Word() is "EXECUTION_TIME":
                set.Mode = V1.SetProperty.Types.Mode.Timestamp;
                break;
            case "INCREMENT":
                set.Mode = V1.SetProperty.Types.Mode.Increment;
                set.Value = value["incrementAmount"].Text() ?? "";
                break;
            case "STATIC_APPEND_VALUE":
                set.Mode = V1.SetProperty.Types.Mode.Append;
                Static(value["staticAppendValue"], set);
                break;
            case "APPEND_OBJECT_PROPERTY":
                set.Mode = V1.SetProperty.Types.Mode.Append;
                set.Source = new ValueSource { Property = Ids.KeepName(value["appendPropertyName"], "property") };
                break;
            default:
                if (Source(value) is not { } from)
                {
                    return false;
                }

                set.Source = from;
                break;
        }

        _guess.Property(type, name, KindOf(set), set.Value.Length > 0 ? [set.Value] : []);
        return name.Length > 0;
    }

    private static PropertyType.Types.Kind KindOf(SetProperty set) => set.Mode switch
    {
        V1.SetProperty.Types.Mode.Timestamp => PropertyType.Types.Kind.Datetime,
        V1.SetProperty.Types.Mode.Increment => PropertyType.Types.Kind.Number,
        _ => PropertyType.Types.Kind.Unspecified,
    };

    private void Static(Node node, SetProperty set)
    {
        var text = Text(node);
        if (text.Contains("{{", StringComparison.Ordinal))
        {
            set.Source = new ValueSource { Text = text };
        }
        else if (text.Length == 0)
        {
            set.Clear = true;
        }
        else
        {
            set.Value = text;
        }
    }

    /// <summary>The type of a value; some leave it out, and then its fields say it.</summary>
    private static string ValueType(Node value)
    {
        var type = value["type"].Word();
        if (type.Length > 0 || !value.IsObject)
        {
            return type;
        }

        type = value["staticValue"].Exists ? "STATIC_VALUE" : value["timestampType"].Exists ? "TIMESTAMP" : value["propertyName"].Exists ? "OBJECT_PROPERTY" : "";
        if (type.Length > 0)
        {
            value["type"].Adapted(FindingCode.Missing, $"The value does not say its type; by its fields it is {type}.");
        }

        return type;
    }

    /// <summary>A value from somewhere; null when there is nothing like it here.</summary>
    private ValueSource? Source(Node value)
    {
        switch (ValueType(value))
        {
            case "STATIC_VALUE":
                return new ValueSource { Text = Text(value["staticValue"]) };
            case "OBJECT_PROPERTY":
                var property = Ids.KeepName(value["propertyName"], "property");
                _guess.Property(ObjectType, property);
                return new ValueSource { Property = property };
            case "FIELD_DATA":
                return new ValueSource { Output = new StepOutput { Step = StepId(value["actionId"].Text() ?? ""), Name = Ids.KeepName(value["dataKey"], "output") } };
            case "TIMESTAMP" when value["timestampType"].Word() == "EXECUTION_TIME":
                return new ValueSource { Now = new RelativeTime() };
            case "RELATIVE_DATETIME":
                return Relative(value["timeDelay"]) is { } days ? new ValueSource { Now = new RelativeTime { OffsetDays = days } } : null;
            case "FETCHED_OBJECT_PROPERTY":
                return OneToken(value["propertyToken"]);
            case "ENROLLMENT_EVENT_PROPERTY":
                return OneToken(value["enrollmentEventPropertyToken"]);
            case "ACTION_OUTPUT_OBJECT_PROPERTY":
                return OneToken(value["actionOutputPropertyToken"]);
            default:
                return null;
        }
    }

    private static int? Relative(Node delay)
    {
        var factor = delay["timeUnit"].Word() switch { "DAYS" => 1, "WEEKS" => 7, _ => 0 };
        var isPlain = factor > 0 && delay["daysOfWeek"].Items().Count == 0 && !delay["timeOfDay"].Exists && !delay["timeZoneStrategy"].Exists;
        return isPlain && delay["delta"].Int() is { } delta && Math.Abs((long)delta) * factor <= 3_650 ? delta * factor : null;
    }

    private ValueSource? OneToken(Node token)
    {
        var text = Text(token);
        return text.Contains("{{", StringComparison.Ordinal) ? new ValueSource { Text = text } : null;
    }

    /// <summary>A text with the tokens of the source as tokens here (ACT-07).</summary>
    private string Text(Node node)
    {
        var text = node.Text() ?? "";
        if (!text.Contains("{{", StringComparison.Ordinal))
        {
            return text;
        }

        var unknown = new List<string>();
        var kept = Tokens().Replace(text, match =>
        {
            var name = match.Groups["name"].Value;
            if (Token(name) is { } here)
            {
                return $"{{{{{here}{match.Groups["default"].Value}}}}}";
            }

            unknown.Add(name);
            return match.Value;
        });
        if (unknown.Count > 0)
        {
            node.Unsupported(FindingCode.UnknownValue, $"Nothing is known by the name `{unknown[0]}` here; the token has to be replaced.");
        }
        else if (kept != text)
        {
            node.Adapted(FindingCode.Renamed, $"Tokens have other names here: {(kept.Length <= 200 ? kept : kept[..200])}");
        }

        return kept;
    }

    private string? Token(string name)
    {
        var parts = name.Split('.');
        switch (parts)
        {
            case ["enrolled_object" or "contact" or "company" or "deal" or "ticket", var property] when parts[0] == "enrolled_object" || parts[0] == ObjectType:
                _guess.Property(ObjectType, property);
                return property;
            case ["fetched_objects", var source, var property] when _workflow.DataSources.FirstOrDefault(known => known.Name == source) is { } found:
                _guess.Property(found.ObjectType, property);
                return $"{source}.{property}";
            case ["enrollment_event" or "event", var property]:
                return $"event.{property}";
            case ["action_outputs", var step, var output] when _stepIds.ContainsKey(step.Replace("action_", "", StringComparison.Ordinal)):
                return $"{StepId(step.Replace("action_", "", StringComparison.Ordinal))}.{output}";
            default:
                return null;
        }
    }

    /// <summary>The data source that an association leads to, made when there is none.</summary>
    private DataSource? AssociatedSource(Node association)
    {
        if (AssociationTypes.Read(association) is not { } known || known.From != ObjectType)
        {
            return null;
        }

        var source = _workflow.DataSources.FirstOrDefault(one => one.ObjectType == known.To && one.Label == known.Label && one.SortBy.Length == 0);
        if (source is null)
        {
            source = new DataSource { Name = known.Label.Length > 0 ? $"{known.Label}-{known.To}" : known.To, ObjectType = known.To, Label = known.Label };
            _workflow.DataSources.Add(source);
        }

        association["associationTypeId"].Adapted(FindingCode.Rewritten, $"Written to the latest associated record: data source `{source.Name}` (ASC-06).");
        return source;
    }

    [GeneratedRegex(@"\{\{\s*(?<name>[\w.\-]+)\s*(?<default>\|[^{}]*)?\}\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Tokens();
}
