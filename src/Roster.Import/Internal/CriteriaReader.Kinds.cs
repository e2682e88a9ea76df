using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Kinds of filters (FIL-32 to FIL-36).</content>
internal sealed partial class CriteriaReader
{
    private Filter One(Node filter, string objectType)
    {
        var type = filter["filterType"].Word();
        return type switch
        {
            "PROPERTY" => Property(filter, objectType),
            "IN_LIST" => InList(filter, objectType),
            "ASSOCIATION" => AssociatedInList(filter),
            "FORM_SUBMISSION" or "FORM_SUBMISSION_ON_PAGE" => Form(filter),
            "PAGE_VIEW" => Page(filter),
            "CTA" => Cta(filter),
            "EMAIL_EVENT" => Email(filter),
            "EMAIL_SUBSCRIPTION" => Subscription(filter, filter["acceptedStatuses"]),
            "COMMUNICATION_SUBSCRIPTION" => Subscription(filter, filter["acceptedOptStates"]),
            "PRIVACY" => Privacy(filter),
            "UNIFIED_EVENTS" => Events(filter),
            "EVENT" => History(filter, EventTypes.Read(filter["eventId"])),
            "INTEGRATION_EVENT" => History(filter, EventTypes.Read(filter["eventTypeId"])),
            "CONSTANT" => Constant(filter),
            "" => Unknown(filter, "The filter has no filterType."),
            _ => Unknown(filter, $"Filters of kind {type} have no counterpart."),
        };
    }

    private Filter Property(Node filter, string objectType)
    {
        var result = new Filter { Property = Ids.KeepName(filter["property"], "property") };
        var kind = Operation(filter["operation"], result);
        guess.Property(objectType, result.Property, kind, kind == PropertyType.Types.Kind.Enumeration ? result.Values : []);
        return result;
    }

    private Filter InList(Node filter, string objectType)
    {
        if (Negates(filter["operator"], "IN_LIST", "NOT_IN_LIST") is not { } negate)
        {
            return new Filter();
        }

        var metadata = filter["metadata"];
        var status = metadata["inListType"].Word() switch
        {
            "WORKFLOWS_ENROLLMENT" => WorkflowFilter.Types.Status.Enrolled,
            "WORKFLOWS_ACTIVE" => WorkflowFilter.Types.Status.Active,
            "WORKFLOWS_COMPLETED" => WorkflowFilter.Types.Status.Completed,
            "WORKFLOWS_GOAL" => WorkflowFilter.Types.Status.Goal,
            _ => WorkflowFilter.Types.Status.Unspecified,
        };
        if (status != WorkflowFilter.Types.Status.Unspecified)
        {
            var id = Ids.OfFlow(metadata["id"].Text() ?? filter["listId"].Text() ?? "");
            metadata["id"].Adapted(FindingCode.Renamed, $"The workflow is `{id}` here, when it is imported too.");
            filter["listId"].Adapted(FindingCode.Rewritten, "A workflow's own list is asked for by the workflow.");
            return new Filter { Workflow = new WorkflowFilter { WorkflowId = id, Status = status, Negate = negate } };
        }

        var list = ListId(filter["listId"], objectType);
        if (metadata.Exists)
        {
            metadata["id"].Text();
            metadata.Adapted(FindingCode.Rewritten, $"Taken as membership in the list `{list}`.");
        }

        return list.Length == 0 ? Unknown(filter, "No list is named.") : new Filter { List = new ListFilter { ListId = list, Negate = negate } };
    }

    /// <summary>The id of a list. Lists are no part of a definition; they have to be there under the same id.</summary>
    public string ListId(Node node, string objectType)
    {
        var list = Ids.Keep(node, "list");
        guess.List(list, objectType);
        return list;
    }

    private Filter AssociatedInList(Node filter)
    {
        var known = AssociationTypes.Read(filter);
        filter["toObjectType"].Text();
        var type = filter["toObjectTypeId"].Exists ? AssociationTypes.ObjectType(filter["toObjectTypeId"]) : known?.To ?? "";
        if (Negates(filter["operator"], "IN_LIST", "NOT_IN_LIST") is not { } negate)
        {
            return new Filter();
        }

        var list = new Filter { List = new ListFilter { ListId = ListId(filter["listId"], type), Negate = negate } };
        return new Filter { Associated = new AssociatedFilter { ObjectType = type, Label = AssociationTypes.LabelOf(filter), AllOf = { list } } };
    }

    private Filter Form(Node filter)
    {
        var form = new FormFilter { FormId = filter["formId"].Text() ?? "", PageUrl = filter["pageId"].Text() ?? "" };
        if (form.PageUrl.Length > 0)
        {
            filter["pageId"].Adapted(FindingCode.Renamed, "Compared with the property `page_url` of the event: submissions have to carry the page there.");
        }

        var op = filter["operator"];
        var word = op.Word();
        if (word is not ("FILLED_OUT" or "NOT_FILLED_OUT"))
        {
            return Unknown(filter, $"A form is asked for with FILLED_OUT or NOT_FILLED_OUT, not `{word}`.");
        }

        form.Negate = word == "NOT_FILLED_OUT";
        return Refine(filter, out var refine) ? new Filter { Form = With(form, one => one.Refine = refine) } : new Filter();
    }

    private Filter Page(Node filter)
    {
        if (filter["enableTracking"].Exists)
        {
            filter["enableTracking"].Text();
            filter["enableTracking"].Adapted(FindingCode.Bookkeeping, "Whoever sends page views decides what is tracked.");
        }

        return Word(filter["operator"], out PageFilter.Types.Operator op) && Refine(filter, out var refine)
            ? new Filter { Page = new PageFilter { Operator = op, Url = filter["pageUrl"].Text() ?? "", Refine = refine } }
            : new Filter();
    }

    private Filter Cta(Node filter) => Word(filter["operator"], out CtaFilter.Types.Operator op) && Refine(filter, out var refine)
        ? new Filter { Cta = new CtaFilter { Operator = op, Id = filter["ctaName"].Text() ?? "", Refine = refine } }
        : new Filter();

    private Filter Email(Node filter)
    {
        foreach (var name in (string[])["appId", "level"])
        {
            if (filter[name].Exists)
            {
                filter[name].Text();
                filter[name].Adapted(FindingCode.Bookkeeping, "An e-mail is known by its id alone.");
            }
        }

        var id = filter["emailId"].Text() ?? "";
        if (!Word(filter["operator"], out EmailFilter.Types.Operator op) || !Refine(filter, out var refine))
        {
            return new Filter();
        }

        if (filter["clickUrl"].Text() is not { Length: > 0 } url)
        {
            return new Filter { Email = new EmailFilter { Operator = op, EmailId = id, Refine = refine } };
        }

        if (op != EmailFilter.Types.Operator.LinkClicked)
        {
            return Unknown(filter, "Only a click has an address.");
        }

        filter["clickUrl"].Adapted(FindingCode.Renamed, "Compared with the property `url` of events of type `email_clicked`.");
        var clicks = new EventHistoryFilter { EventType = "email_clicked", Refine = refine, Where = { Equal("url", url) } };
        if (id.Length > 0)
        {
            clicks.Where.Add(Equal("email_id", id));
        }

        return new Filter { Events = clicks };
    }

    private static Filter Equal(string property, string value) => new() { Property = property, Operator = Filter.Types.Operator.IsEqualTo, Values = { value } };

    private static Filter Subscription(Node filter, Node accepted)
    {
        foreach (var name in (string[])["subscriptionType", "businessUnitId", "channel"])
        {
            if (filter[name].Exists)
            {
                filter[name].Text();
                filter[name].Adapted(FindingCode.Rewritten, "A consent is known by its name alone.");
            }
        }

        var ids = filter["subscriptionIds"].Items();
        if (ids.Count != 1)
        {
            return Unknown(filter, "A filter on consent names one subscription here.");
        }

        var consent = new ConsentFilter { Subscription = Ids.KeepName(ids[0], "subscription") };
        foreach (var status in accepted.Items())
        {
            switch (status.Word())
            {
                case "SUBSCRIBED" or "OPT_IN" or "OPTED_IN":
                    consent.AnyOf.Add(ConsentStatus.Types.Status.Subscribed);
                    break;
                case "UNSUBSCRIBED" or "OPT_OUT" or "OPTED_OUT":
                    consent.AnyOf.Add(ConsentStatus.Types.Status.Unsubscribed);
                    break;
                default:
                    return Unknown(filter, $"A consent is SUBSCRIBED or UNSUBSCRIBED, not `{status.Word()}`.");
            }
        }

        return new Filter { Consent = consent };
    }

    private static Filter Privacy(Node filter)
    {
        var status = filter["operator"].Word() switch
        {
            "PRIVACY_CONSENT_GRANTED" => ConsentStatus.Types.Status.Granted,
            "PRIVACY_CONSENT_NOT_GRANTED" => ConsentStatus.Types.Status.NotGranted,
            _ => ConsentStatus.Types.Status.Unspecified,
        };
        return status == ConsentStatus.Types.Status.Unspecified
            ? Unknown(filter, "Privacy consent is granted or not granted.")
            : new Filter { Consent = new ConsentFilter { Subscription = Ids.KeepName(filter["privacyName"], "consent"), AnyOf = { status } } };
    }

    private static Filter Constant(Node filter)
    {
        if (filter["source"].Exists)
        {
            filter["source"].Text();
            filter["source"].Adapted(FindingCode.Bookkeeping, "Where a constant comes from has no effect.");
        }

        return new Filter { Constant = filter["shouldAccept"].Flag() };
    }

    private static bool Word<T>(Node node, out T value)
        where T : struct, Enum
    {
        if (WireNames.TryParse(node.Word(), out value))
        {
            return true;
        }

        node.Unsupported(FindingCode.UnknownValue, "The operator has no counterpart. An incomplete filter stands for it.");
        return false;
    }

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }
}
