using Roster.Core.Filters;
using Roster.Core.Workflows;
using Roster.V1;

namespace Roster.Protocol.Mapping;

/// <content>Criteria and filters. Filters on forms, pages, calls to action and e-mails become filters on events (FIL-32, FIL-33).</content>
public static partial class WorkflowMapping
{
    /// <summary>Maps criteria; null stays null.</summary>
    public static CriteriaDefinition? ToCore(V1.Criteria? criteria) => criteria is null
        ? null
        : new CriteriaDefinition([.. criteria.AnyOf.Select(g => new FilterGroupDefinition([.. g.AllOf.Select(ToCore)], (GroupMatch)(int)g.Match))]);

    private static FilterDefinition ToCore(Filter filter) => filter.OtherCase switch
    {
        Filter.OtherOneofCase.Events => new EventHistoryFilterDefinition(filter.Events.EventType, [.. filter.Events.Where.Select(ToCore)], filter.Events.Negate, ToCore(filter.Events.Refine)),
        Filter.OtherOneofCase.List => new ListFilterDefinition(filter.List.ListId, filter.List.Negate),
        Filter.OtherOneofCase.Workflow => new WorkflowFilterDefinition(filter.Workflow.WorkflowId, (WorkflowStatus)(int)filter.Workflow.Status, filter.Workflow.GoalId, filter.Workflow.Negate),
        Filter.OtherOneofCase.Associated => new AssociatedFilterDefinition(filter.Associated.ObjectType, filter.Associated.Label, [.. filter.Associated.AllOf.Select(ToCore)]),
        Filter.OtherOneofCase.Constant => new ConstantFilterDefinition(filter.Constant),
        Filter.OtherOneofCase.Form => ToCore(filter.Form),
        Filter.OtherOneofCase.Page => ToCore(filter.Page),
        Filter.OtherOneofCase.Cta => ToCore(filter.Cta),
        Filter.OtherOneofCase.Email => ToCore(filter.Email),
        Filter.OtherOneofCase.Consent => new ConsentFilterDefinition(filter.Consent.Subscription, [.. filter.Consent.AnyOf.Select(s => JournalMapping.ApiName(s.ToString()))]),
        _ when filter.Property.Length == 0 && filter.Operator == Filter.Types.Operator.Unspecified => new IncompleteFilterDefinition(),
        _ => ToProperty(filter),
    };

    private static PropertyFilterDefinition ToProperty(Filter filter) =>
        new(filter.Property, (Operator)(int)filter.Operator, [.. filter.Values], filter.IncludeUnknown, filter.TimeZone)
        {
            CompareWith = filter.CompareWith,
            DefaultComparisonValue = filter.DefaultComparisonValue,
            From = ToCore(filter.From),
            To = ToCore(filter.To),
            UseUpdatedAt = filter.UseUpdatedAt,
            Unit = (TimeUnit)(int)filter.Unit,
            FiscalYearStart = filter.FiscalYearStart,
        };

    private static TimePointDefinition? ToCore(TimePoint? point) =>
        point is null ? null : new TimePointDefinition(point.Date, (TimeIndex)(int)point.Index, point.Property, point.OffsetDays, point.Exclusive);

    private static RefinementDefinition? ToCore(Refinement? refine) => refine is null
        ? null
        : new RefinementDefinition(
            refine.Time is null ? null : new TimeRangeDefinition((TimeRangeKind)(int)refine.Time.Kind, ToCore(refine.Time.From), ToCore(refine.Time.To)),
            refine.Occurrences is null ? null : new OccurrencesDefinition(refine.Occurrences.Min, refine.Occurrences.HasMax ? refine.Occurrences.Max : null));

    private static RangeBoundDefinition? ToCore(RangeBound? bound) => bound?.AtCase switch
    {
        null => null,
        RangeBound.AtOneofCase.Days => new RangeBoundDefinition(string.Empty, bound.Days),
        RangeBound.AtOneofCase.Weeks => new RangeBoundDefinition(string.Empty, (int)Math.Clamp(bound.Weeks * 7L, int.MinValue, int.MaxValue)),
        _ => new RangeBoundDefinition(bound.Date, null),
    };

    private static EventHistoryFilterDefinition ToCore(FormFilter form) =>
        Event("form_submitted", form.Negate, form.Refine, ("form_id", Operator.IsEqualTo, form.FormId), ("page_url", Operator.IsEqualTo, form.PageUrl));

    private static FilterDefinition ToCore(PageFilter page)
    {
        var op = page.Operator switch
        {
            PageFilter.Types.Operator.HasPageviewEq or PageFilter.Types.Operator.NotHasPageviewEq => Operator.IsEqualTo,
            PageFilter.Types.Operator.HasPageviewContains or PageFilter.Types.Operator.NotHasPageviewContains => Operator.Contains,
            PageFilter.Types.Operator.HasPageviewMatchesRegex => Operator.MatchesRegex,
            _ => Operator.None,
        };
        var negate = page.Operator is PageFilter.Types.Operator.NotHasPageviewEq or PageFilter.Types.Operator.NotHasPageviewContains;
        return op == Operator.None || page.Url.Length == 0 ? new IncompleteFilterDefinition() : Event("page_visited", negate, page.Refine, ("url", op, page.Url));
    }

    private static FilterDefinition ToCore(CtaFilter cta)
    {
        var type = cta.Operator switch
        {
            CtaFilter.Types.Operator.HasClickedCta or CtaFilter.Types.Operator.HasNotClickedCta
                or CtaFilter.Types.Operator.HasClickedCtaPlacement or CtaFilter.Types.Operator.HasNotClickedCtaPlacement => "cta_clicked",
            CtaFilter.Types.Operator.HasOpenedCta or CtaFilter.Types.Operator.HasNotOpenedCta
                or CtaFilter.Types.Operator.HasOpenedCtaPlacement or CtaFilter.Types.Operator.HasNotOpenedCtaPlacement => "cta_viewed",
            _ => string.Empty,
        };
        var negate = cta.Operator is CtaFilter.Types.Operator.HasNotClickedCta or CtaFilter.Types.Operator.HasNotOpenedCta
            or CtaFilter.Types.Operator.HasNotClickedCtaPlacement or CtaFilter.Types.Operator.HasNotOpenedCtaPlacement;
        var subject = cta.Operator >= CtaFilter.Types.Operator.HasClickedCtaPlacement ? "placement_id" : "cta_id";
        return type.Length == 0 || cta.Id.Length == 0 ? new IncompleteFilterDefinition() : Event(type, negate, cta.Refine, (subject, Operator.IsEqualTo, cta.Id));
    }

    private static FilterDefinition ToCore(EmailFilter email)
    {
        var (first, second) = email.Operator switch
        {
            EmailFilter.Types.Operator.Sent => ("email_sent", string.Empty),
            EmailFilter.Types.Operator.Received => ("email_delivered", string.Empty),
            EmailFilter.Types.Operator.Opened => ("email_opened", string.Empty),
            EmailFilter.Types.Operator.LinkClicked => ("email_clicked", string.Empty),
            EmailFilter.Types.Operator.Replied => ("email_replied", string.Empty),
            EmailFilter.Types.Operator.Bounced => ("email_bounced", string.Empty),
            EmailFilter.Types.Operator.MarkedSpam => ("email_marked_spam", string.Empty),
            EmailFilter.Types.Operator.Unsubscribed => ("email_unsubscribed", string.Empty),
            EmailFilter.Types.Operator.OpenedButLinkNotClicked => ("email_opened", "email_clicked"),
            EmailFilter.Types.Operator.OpenedButNotReplied => ("email_opened", "email_replied"),
            EmailFilter.Types.Operator.ReceivedButNotOpened => ("email_delivered", "email_opened"),
            EmailFilter.Types.Operator.SentButLinkNotClicked => ("email_sent", "email_clicked"),
            EmailFilter.Types.Operator.SentButNotReceived => ("email_sent", "email_delivered"),
            _ => (string.Empty, string.Empty),
        };
        if (first.Length == 0)
        {
            return new IncompleteFilterDefinition();
        }

        var happened = Event(first, false, email.Refine, ("email_id", Operator.IsEqualTo, email.EmailId));
        return second.Length == 0 ? happened : new EventPairFilterDefinition(happened, Event(second, false, null, ("email_id", Operator.IsEqualTo, email.EmailId)));
    }

    private static EventHistoryFilterDefinition Event(string type, bool negate, Refinement? refine, params (string Property, Operator Operator, string Value)[] where) => new(
        type,
        [.. where.Where(w => w.Value.Length > 0).Select(w => new PropertyFilterDefinition(w.Property, w.Operator, [w.Value], false, string.Empty))],
        negate,
        ToCore(refine));
}
