using System.Globalization;
using System.Net;
using System.Text;

namespace Roster.LoadTests.Reporting;

/// <summary>The result for people: one page with figures, tables and plots that needs nothing from anywhere else.</summary>
internal static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; --page: #f6f6f4; --card: #fff; --ink: #1b1c1e; --muted: #5f646b; --edge: #e2e3e5; --grid: #ebecee; --band: #f3f4f5;
          --s1: #2563c9; --s2: #c26a00; --s3: #0b857a; --good: #157347; --fair: #8a5a00; --bad: #b3261e; }
        @media (prefers-color-scheme: dark) { :root { --page: #121315; --card: #1b1d20; --ink: #e9eaec; --muted: #a0a5ad; --edge: #2d3035; --grid: #2f3339; --band: #212327;
          --s1: #74a9ff; --s2: #eda445; --s3: #43c7b5; --good: #5fce92; --fair: #e4b45a; --bad: #ff8a80; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
        main { max-width: 1280px; margin: 0 auto; padding: 32px 24px 56px; }
        h1 { font-size: 26px; line-height: 1.2; margin: 0; letter-spacing: -.01em; }
        h2 { font-size: 16px; margin: 36px 0 12px; }
        h3 { font-size: 14px; margin: 0; }
        .sub { color: var(--muted); margin: 6px 0 0; }
        .hint { margin: -8px 0 12px; font-size: 13px; }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 12px; margin-top: 24px; }
        .card, .plot, .table { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
        .card { padding: 14px 16px; display: flex; flex-direction: column; }
        .card .name { color: var(--muted); font-size: 13px; line-height: 1.35; }
        .card .value { font-size: 25px; font-weight: 600; line-height: 1.3; margin-top: auto; padding-top: 6px; font-variant-numeric: tabular-nums; }
        .card .value small { font-size: 13px; font-weight: 400; color: var(--muted); }
        .card .asked { font-size: 12px; color: var(--muted); }
        .verdict { font-weight: 600; }
        .good { color: var(--good); } .fair { color: var(--fair); } .bad { color: var(--bad); }
        .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 12px; }
        .plot { padding: 14px 16px 8px; margin: 0; }
        .plot figcaption { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; margin-bottom: 6px; }
        .key { color: var(--muted); font-size: 12px; white-space: nowrap; }
        .key::before { content: ""; display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; background: currentColor; }
        .key.s1::before { background: var(--s1); } .key.s2::before { background: var(--s2); } .key.s3::before { background: var(--s3); }
        svg { display: block; width: 100%; height: auto; }
        svg .grid { stroke: var(--grid); } svg .band { fill: var(--band); } svg .tick { fill: var(--muted); font-size: 11px; font-variant-numeric: tabular-nums; }
        svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        svg .line.s1 { stroke: var(--s1); } svg .line.s2 { stroke: var(--s2); } svg .line.s3 { stroke: var(--s3); }
        svg .mark.s1 { fill: var(--s1); } svg .mark.s2 { fill: var(--s2); } svg .mark.s3 { fill: var(--s3); }
        svg .spot { fill: transparent; } svg .spot:hover { fill: var(--muted); fill-opacity: .35; }
        .table { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: 7px 6px; font-size: 13px; text-align: right; white-space: nowrap; border-top: 1px solid var(--edge); }
        tr:first-child > * { border-top: 0; }
        tr > :first-child { padding-left: 14px; } tr > :last-child { padding-right: 14px; }
        th { color: var(--muted); font-weight: 500; font-size: 12px; } th:first-child, td:first-child, .text td, .text th { text-align: left; }
        .text td { white-space: normal; } .text td:first-child { color: var(--muted); width: 220px; }
        .failure { color: var(--bad); }
        """;

    public static string Write(RunResult result)
    {
        var page = new StringBuilder();
        var title = $"Roster load test: {result.Options.Scenario}";
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.Append(CultureInfo.InvariantCulture, $"<title>{Encode(title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<main>\n<h1>{Encode(title)}</h1>\n");
        page.Append(CultureInfo.InvariantCulture, $"<p class=\"sub\">{result.At:yyyy-MM-dd HH:mm} UTC · store {Encode(result.Options.Store)} · {result.Options.Records:N0} records · {result.Machine.Cores} cores, {Encode(result.Machine.Processor)}</p>\n");
        AddTexts(page, result.Failures, "failure");
        AddFigures(page, result.Figures);
        AddCurves(page, result.Curves);
        if (result.Samples.Count > 0)
        {
            AddCourse(page, result);
        }

        AddPhases(page, result.Phases);
        AddSettings(page, result);
        AddTexts(page, result.Notes, "sub");
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void AddTexts(StringBuilder page, List<string> texts, string style) =>
        texts.ForEach(text => page.Append(CultureInfo.InvariantCulture, $"<p class=\"{style}\">{Encode(text)}</p>\n"));

    private static void AddFigures(StringBuilder page, List<Figure> figures)
    {
        page.Append("<section class=\"cards\">\n");
        foreach (var f in figures)
        {
            var verdict = f.Verdict.Length == 0 ? string.Empty : $"<span class=\"verdict {(f.Verdict == "goal met" ? "good" : f.Verdict == "bar met" ? "fair" : "bad")}\">{f.Verdict}</span> · ";
            page.Append(CultureInfo.InvariantCulture, $"<div class=\"card\"><div class=\"name\">{Encode(f.Name)}</div><div class=\"value\">{Figure.Number(f.Value)} <small>{Encode(f.Unit)}</small></div>");
            page.Append(CultureInfo.InvariantCulture, $"<div class=\"asked\">{verdict}{Encode(f.Asked)}</div></div>\n");
        }

        page.Append("</section>\n");
    }

    private static void AddCurves(StringBuilder page, List<Curve> curves)
    {
        if (curves.Count == 0)
        {
            return;
        }

        page.Append("<h2>Over sizes</h2>\n<section class=\"plots\">\n");
        foreach (var curve in curves.Where(c => c.Points.Count > 0))
        {
            var points = curve.Points.Select(p => new PlotPoint(0, p.X, p.Y, $"{Figure.Number(p.X)} {curve.XName}: {Figure.Number(p.Y)} {curve.YName}")).ToList();
            var svg = SvgPlot.Lines(
                curve.Name, Axis.Logarithmic(points.Min(p => p.X), points.Max(p => p.X)), Axis.Linear(points.Max(p => p.Y ?? 0)), curve.XName, [new Series(curve.YName, points)], [], hasMarks: true);
            AddPlot(page, $"{curve.Name}: {curve.YName}", [curve.YName], svg);
        }

        page.Append("</section>\n");
    }

    /// <summary>Plots over time. Only measured time counts: what lies between phases is left out.</summary>
    private static void AddCourse(StringBuilder page, RunResult result)
    {
        var (at, bands) = MeasuredTime(result);
        var x = Axis.Exact(bands[^1].To);
        page.Append("<h2>Over measured time</h2>\n<p class=\"sub hint\">The numbers above the plots are the phases of the table below; what lies between phases is left out.</p>\n<section class=\"plots\">\n");
        Add("Rate", "per second", false, ("events", s => s.EventsPerSecond), ("tasks", s => s.TasksPerSecond));
        Add("Latency to the durable acknowledgement", "ms", true, ("p50", s => s.P50Ms), ("p99", s => s.P99Ms), ("max", s => s.MaxMs));
        Add("Memory", "MB", false, ("server", s => s.ServerMb), ("database", s => s.DatabaseMb > 0 ? s.DatabaseMb : null));
        Add("Written to disk", "MB per second", false, ("server and database", s => s.WrittenMbPerSecond));
        Add("Processor time", "cores", false, ("server and database", s => s.ServerCores));
        page.Append("</section>\n");

        void Add(string title, string unit, bool isLogarithmic, params (string Name, Func<Sample, double?> Of)[] lines)
        {
            var series = lines.Select(line => new Series(line.Name, [.. result.Samples.Select((s, i) =>
                new PlotPoint(s.Phase, at[i], line.Of(s), $"{result.Phases[s.Phase].Name}, {Figure.Number(at[i])} s: {line.Name} {Figure.Number(line.Of(s) ?? 0)} {unit}"))]))
                .Where(s => s.Points.Any(p => p.Y > 0)).ToList();
            var values = series.SelectMany(s => s.Points).Select(p => p.Y).OfType<double>().Where(v => !isLogarithmic || v > 0).ToList();
            if (values.Count > 0)
            {
                var y = isLogarithmic ? Axis.Logarithmic(values.Min(), values.Max()) : Axis.Linear(values.Max());
                AddPlot(page, $"{title}, {unit}", [.. series.Select(s => s.Name)], SvgPlot.Lines(title, x, y, "seconds", series, bands, hasMarks: false));
            }
        }
    }

    private static (List<double> At, List<Band> Bands) MeasuredTime(RunResult result)
    {
        var at = new List<double>();
        var bands = new List<Band>();
        var before = 0.0;
        for (var phase = 0; phase < result.Phases.Count; phase++)
        {
            var samples = result.Samples.Where(s => s.Phase == phase).ToList();
            var length = result.Phases[phase].Seconds;
            at.AddRange(samples.Select(s => before + Math.Max(0, length - (samples[^1].At - s.At))));
            bands.Add(new Band($"{phase + 1}", before, before + length));
            before += length;
        }

        return (at, bands);
    }

    private static void AddPlot(StringBuilder page, string title, IReadOnlyList<string> keys, string svg)
    {
        page.Append(CultureInfo.InvariantCulture, $"<figure class=\"plot\"><figcaption><h3>{Encode(title)}</h3>");
        for (var i = 0; keys.Count > 1 && i < keys.Count; i++)
        {
            page.Append(CultureInfo.InvariantCulture, $"<span class=\"key s{i + 1}\">{Encode(keys[i])}</span>");
        }

        page.Append("</figcaption>").Append(svg).Append("</figure>\n");
    }

    private static void AddPhases(StringBuilder page, List<Phase> phases)
    {
        if (phases.Count == 0)
        {
            return;
        }

        page.Append("<h2>Phases</h2>\n<div class=\"table\"><table>\n<tr>");
        page.AppendJoin(string.Empty, ConsoleReport.PhaseColumns.Select(c => $"<th>{Encode(c)}</th>")).Append("</tr>\n");
        for (var i = 0; i < phases.Count; i++)
        {
            var number = i + 1;
            page.Append("<tr>").AppendJoin(string.Empty, ConsoleReport.Cells(phases[i]).Select((cell, column) => $"<td>{(column == 0 ? $"{number} · " : string.Empty)}{Encode(cell)}</td>"));
            page.Append("</tr>\n");
        }

        page.Append("</table></div>\n");
    }

    private static void AddSettings(StringBuilder page, RunResult result)
    {
        var (m, o) = (result.Machine, result.Options);
        (string Name, FormattableString Value)[] rows =
        [
            ("machine", $"{m.Processor}, {m.Cores} cores, {m.MemoryMb:N0} MB; server, generator, worker and database share it"),
            ("system", $"{m.System}"),
            ("runtime", $"{m.Runtime}, server GC {m.ServerGc}, {m.Build} build"),
            ("store", $"{o.Store}, cache for record heads {o.CacheBytes >> 20} MB{string.Concat(o.Set.Select(setting => ", " + setting))}"),
            ("load", $"{o.Records:N0} records, {o.Workflows:N0} workflows, {o.Streams} streams, batches of {o.BatchEvents}, window {o.Window}, {o.Seconds} s per phase after {o.WarmupSeconds} s dropped, seed {o.Seed}"),
        ];
        page.Append("<h2>Settings</h2>\n<div class=\"table text\"><table>\n");
        foreach (var (name, value) in rows)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Encode(name)}</td><td>{Encode(value.ToString(CultureInfo.InvariantCulture))}</td></tr>\n");
        }

        page.Append("</table></div>\n");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
