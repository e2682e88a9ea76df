using System.Globalization;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Demo;

/// <summary>
/// The made-up month of <c>roster demo</c>: people who download an e-book, become leads and customers, open accounts, try the product
/// and, most of the time, look at pages. The same seed gives the same events.
/// </summary>
internal sealed class DemoPlan
{
    /// <summary>Length of the story.</summary>
    public const int Days = 30;

    /// <summary>When the story begins.</summary>
    public static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    private const int EventsPerPerson = 10;

    private static readonly string[] FirstNames =
    [
        "Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "Hedy", "John", "Katherine", "Leslie", "Margaret", "Niklaus", "Radia", "Tim",
    ];

    private static readonly string[] Countries = ["AT", "BR", "DE", "ES", "FR", "GB", "IN", "IT", "NL", "PL", "US"];
    private static readonly string[] Plans = ["solo", "team", "company"];
    private static readonly string[] Pages = ["/", "/blog", "/customers", "/docs", "/pricing", "/product", "/security"];

    private readonly Random _random;
    private readonly List<(DateTimeOffset At, Event Event)> _events = [];
    private int _number;

    private DemoPlan(int seed) => _random = new Random(seed);

    /// <summary>The events, by time.</summary>
    public IReadOnlyList<(DateTimeOffset At, Event Event)> Events => _events;

    /// <summary>Number of people.</summary>
    public int People { get; private set; }

    /// <summary>Somebody with a rich story, to show.</summary>
    public string Hero { get; private set; } = "";

    /// <summary>Makes about so many events.</summary>
    public static DemoPlan Make(int events, int seed)
    {
        var plan = new DemoPlan(seed) { People = Math.Max(1, events / EventsPerPerson) };
        for (var i = 0; i < plan.People; i++)
        {
            plan.AddPerson(i);
        }

        while (plan._events.Count < events)
        {
            plan.AddPageView(plan.Email(plan._random.Next(plan.People)), plan.Moment(0, Days));
        }

        plan._events.Sort((left, right) =>
        {
            var byTime = left.At.CompareTo(right.At);
            return byTime != 0 ? byTime : string.CompareOrdinal(left.Event.EventId, right.Event.EventId);
        });
        return plan;
    }

    /// <summary>Page views of one moment, for the rate.</summary>
    public static IEnumerable<Event> Burst(int count, int people, DateTimeOffset at, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            yield return new EventBuilder($"burst-{i.ToString(CultureInfo.InvariantCulture)}", "contact", NameOf(random.Next(people)))
                .Type("page_viewed").At(at).Source("website")
                .With("page", Values.Text(Pages[random.Next(Pages.Length)]))
                .Set("last_page", Values.Text(Pages[random.Next(Pages.Length)]))
                .Set("pages_seen", Values.Number(i))
                .Build();
        }
    }

    private static string NameOf(int person) =>
        string.Create(CultureInfo.InvariantCulture, $"{FirstNames[person % FirstNames.Length].ToLowerInvariant()}.{person}@example.org");

    private string Email(int person) => NameOf(person);

    private void AddPerson(int person)
    {
        var email = NameOf(person);
        var reads = _random.Next(100) < 40;
        var isLead = _random.Next(100) < 55;
        var opens = _random.Next(100) < 30;
        if (reads)
        {
            AddReader(email, person, isLead && opens);
        }

        if (isLead)
        {
            AddLead(email, person);
        }

        if (opens)
        {
            AddAccount(email, person);
        }
    }

    private void AddReader(string email, int person, bool isRich)
    {
        var at = Moment(0, Days - 5);
        Add(at, Base(email, person).Type("form_submitted").Source("website").With("form", Values.Text("ebook-crm-guide")).Set("last_ebook", Values.Text("CRM guide")));
        if (_random.Next(100) >= 35)
        {
            return;
        }

        var click = at.AddDays(2).AddMinutes(_random.Next(150, 1_500));
        Add(click, New(email).Type("email_link_clicked").Source("mailer").With("template", Values.Text("related-products")).Set("last_clicked_link", Values.Text("/product")));
        if (isRich && Hero.Length == 0)
        {
            Hero = email;
        }
    }

    private void AddLead(string email, int person)
    {
        var at = Moment(0, Days - 1);
        Add(at, Base(email, person).Source("website").Set("company_size", Values.Number(_random.Next(1, 60) * _random.Next(1, 60))).Set("lifecyclestage", Values.Options("lead")));
        if (_random.Next(100) < 25)
        {
            AddCustomer(email, at.AddHours(_random.Next(6, 600)));
        }
    }

    // A third of the customers are big; a few had a reason to complain before that.
    private void AddCustomer(string email, DateTimeOffset at)
    {
        if (_random.Next(100) < 15)
        {
            Add(at.AddHours(-2), New(email).Type("complained").Source("support"));
        }

        var revenue = _random.Next(100) < 33 ? _random.Next(10_000, 60_000) : _random.Next(200, 9_000);
        Add(at, New(email).Source("sales").Set("lifecyclestage", Values.Options("customer")).Set("revenue", Values.Number(revenue)));
    }

    private void AddAccount(string email, int person)
    {
        var at = Moment(0, Days - 1);
        Add(at, Base(email, person).Type("account_created").Source("app").Set("account_created", Values.Date(DateOnly.FromDateTime(at.UtcDateTime))));
        if (_random.Next(100) < 65)
        {
            var opened = at.AddMinutes(_random.Next(150, 6_000));
            Add(opened, New(email).Type("email_opened").Source("mailer").With("template", Values.Text("onboarding-welcome")).Set("onboarding_mail_opened", Values.Bool(true)));
        }

        AddTrial(email, at.AddMinutes(5));
    }

    private void AddTrial(string email, DateTimeOffset at)
    {
        Add(at, New(email).Type("trial_started").Source("app").Set("plan", Values.Options(Plans[_random.Next(Plans.Length)])));
        if (_random.Next(100) < 60)
        {
            Add(at.AddMinutes(_random.Next(30, 14_000)), New(email).Type("project_created").Source("app").With("sample", Values.Bool(_random.Next(4) == 0)));
        }

        if (_random.Next(100) < 20)
        {
            Add(at.AddMinutes(_random.Next(60, 8_000)), New(email).Source("billing").Set("paying", Values.Bool(true)));
        }
    }

    private void AddPageView(string email, DateTimeOffset at) =>
        Add(at, New(email).Type("page_viewed").Source("website").With("page", Values.Text(Pages[_random.Next(Pages.Length)]))
            .Set("last_page", Values.Text(Pages[_random.Next(Pages.Length)])));

    private EventBuilder Base(string email, int person) => New(email)
        .Set("email", Values.Text(email))
        .Set("firstname", Values.Text(FirstNames[person % FirstNames.Length]))
        .Set("country", Values.Text(Countries[person % Countries.Length]));

    private EventBuilder New(string email) => new($"demo-{(++_number).ToString(CultureInfo.InvariantCulture)}", "contact", email);

    private void Add(DateTimeOffset at, EventBuilder item)
    {
        if (at < Start.AddDays(Days))
        {
            _events.Add((at, item.At(at).Build()));
        }
    }

    private DateTimeOffset Moment(int fromDay, int toDay) => Start.AddSeconds(_random.Next(fromDay * 86_400, toDay * 86_400));
}
