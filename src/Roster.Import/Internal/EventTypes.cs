using System.Collections.Frozen;

namespace Roster.Import.Internal;

/// <summary>HubSpot's event types and their properties by the names they have here (TRG-20 to TRG-31).</summary>
internal static class EventTypes
{
    public const string PropertyChanged = "property_changed";
    public const string FormSubmitted = "form_submitted";

    private static readonly FrozenDictionary<string, string> ById = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["4-1639801"] = FormSubmitted,
        ["4-1639797"] = "form_viewed",
        ["4-1639799"] = "form_interacted",
        ["4-655002"] = PropertyChanged,
        ["4-667638"] = "email_sent",
        ["4-665536"] = "email_delivered",
        ["4-666440"] = "email_opened",
        ["4-665538"] = "email_replied",
        ["4-5470331"] = "email_bounced",
        ["4-666439"] = "email_bounced",
        ["4-666289"] = "subscription_changed",
        ["4-666288"] = "email_clicked",
        ["4-1463224"] = "record_created",
        ["4-96000"] = "page_visited",
        ["4-1555804"] = "cta_viewed",
        ["4-1555805"] = "cta_clicked",
        ["4-1553675"] = "ad_interaction",
        ["4-675783"] = "media_played",
        ["4-1466013"] = "workflow_enrolled",
        ["4-1466014"] = "workflow_unenrolled",
        ["4-1753168"] = "workflow_goal",
        ["4-1720599"] = "meeting_booked",
        ["4-1724222"] = "meeting_outcome_changed",
        ["4-1733817"] = "call_started",
        ["4-1741072"] = "call_ended",
        ["4-1719453"] = "sms_sent",
        ["4-1721168"] = "sms_delivered",
        ["4-1722276"] = "sms_clicked",
        ["4-68559"] = "marketing_event_registered",
        ["4-69072"] = "marketing_event_cancelled",
        ["4-1814177"] = "playbook_logged",
        ["4-675777"] = "sequence_enrolled",
        ["4-675778"] = "sequence_finished",
        ["4-675776"] = "sequence_unenrolled",
        ["4-675773"] = "sequence_meeting",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // By event family, that is the first word of the name here, and HubSpot's name of the property.
    private static readonly FrozenDictionary<(string Family, string Property), string> Properties = new Dictionary<(string, string), string>
    {
        [("form", "hs_form_id")] = "form_id",
        [("form", "hs_page_url")] = "page_url",
        [("form", "hs_url")] = "page_url",
        [("page", "hs_url")] = "url",
        [("page", "hs_page_url")] = "url",
        [("email", "hs_email_id")] = "email_id",
        [("email", "hs_email_content_id")] = "email_id",
        [("email", "hs_content_id")] = "email_id",
        [("email", "hs_click_url")] = "url",
        [("email", "hs_link_url")] = "url",
        [("cta", "hs_cta_id")] = "cta_id",
        [("workflow", "hs_workflow_id")] = "workflow",
        [("workflow", "hs_flow_id")] = "workflow",
        [("property", "hs_name")] = "property",
        [("property", "hs_value")] = "value",
    }.ToFrozenDictionary();

    /// <summary>The name of an event type, with a remark when it has none here.</summary>
    public static string Read(Node id)
    {
        var text = id.Text() ?? "";
        if (ById.TryGetValue(text, out var name))
        {
            return name;
        }

        if (text.Length == 0)
        {
            id.Unsupported(FindingCode.Missing, "No event type is named.");
            return "";
        }

        var kept = Ids.KeepName(id, "event type");
        if (!text.StartsWith("6-", StringComparison.Ordinal))
        {
            id.Adapted(FindingCode.UnknownValue, $"No event type of this id is known. Events of type `{kept}` count.");
        }

        return kept;
    }

    /// <summary>The name that a property of an event has here.</summary>
    public static string PropertyOf(string eventType, Node property)
    {
        var text = property.Text() ?? "";
        if (Properties.TryGetValue((eventType.Split('_', 2)[0], text), out var name))
        {
            if (eventType != PropertyChanged)
            {
                property.Adapted(FindingCode.Renamed, $"Events of type `{eventType}` carry it as `{name}`.");
            }

            return name;
        }

        return Ids.KeepName(property, "property of the event");
    }
}
