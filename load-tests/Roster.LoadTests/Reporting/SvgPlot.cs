using System.Globalization;
using System.Net;
using System.Text;

namespace Roster.LoadTests.Reporting;

/// <summary>A line of a plot.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Points">The points; a gap lies between points of different groups, and where there is no value.</param>
internal sealed record Series(string Name, IReadOnlyList<PlotPoint> Points);

/// <summary>A point of a line.</summary>
/// <param name="Group">Points of one group are joined.</param>
/// <param name="X">Where.</param>
/// <param name="Y">The value; null for none.</param>
/// <param name="Text">What is said of it when it is pointed at.</param>
internal sealed record PlotPoint(int Group, double X, double? Y, string Text);

/// <summary>A stretch of the x axis with a short name.</summary>
internal sealed record Band(string Name, double From, double To);

/// <summary>Plots as inline SVG without scripts. Colours come from the page, so that it can be light or dark.</summary>
internal static class SvgPlot
{
    private const double Width = 600;
    private const double Height = 230;
    private const double Left = 52;
    private const double Right = 20;
    private const double Top = 22;
    private const double Bottom = 30;

    /// <summary>Points beyond which a line has no marks that tell their value.</summary>
    private const int MarksMax = 400;

    /// <summary>Draws lines.</summary>
    /// <param name="title">What is shown, for readers that cannot see it.</param>
    /// <param name="x">The x axis.</param>
    /// <param name="y">The y axis.</param>
    /// <param name="xName">Unit of the x axis.</param>
    /// <param name="series">The lines, at most three.</param>
    /// <param name="bands">Stretches of the x axis; may be none.</param>
    /// <param name="hasMarks">Whether every point is marked.</param>
    public static string Lines(string title, Axis x, Axis y, string xName, IReadOnlyList<Series> series, IReadOnlyList<Band> bands, bool hasMarks)
    {
        var svg = new StringBuilder();
        Add(svg, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Encode(title)}\">");
        AddBands(svg, x, bands);
        foreach (var tick in y.Ticks)
        {
            var at = Y(y, tick);
            Add(svg, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{at:0.#}\" y2=\"{at:0.#}\"/>");
            Add(svg, $"<text class=\"tick\" text-anchor=\"end\" x=\"{Left - 8}\" y=\"{at + 4:0.#}\">{Axis.Label(tick)}</text>");
        }

        foreach (var tick in x.Ticks)
        {
            Add(svg, $"<text class=\"tick\" text-anchor=\"middle\" x=\"{X(x, tick):0.#}\" y=\"{Height - Bottom + 16}\">{Axis.Label(tick)}</text>");
        }

        Add(svg, $"<text class=\"tick\" text-anchor=\"end\" x=\"{Width - Right}\" y=\"{Height - 2}\">{Encode(xName)}</text>");
        for (var i = 0; i < series.Count; i++)
        {
            AddSeries(svg, x, y, series[i], i + 1, hasMarks);
        }

        return svg.Append("</svg>").ToString();
    }

    private static void AddBands(StringBuilder svg, Axis x, IReadOnlyList<Band> bands)
    {
        for (var i = 0; i < bands.Count; i++)
        {
            var (from, to) = (X(x, bands[i].From), X(x, bands[i].To));
            if (i % 2 == 1)
            {
                Add(svg, $"<rect class=\"band\" x=\"{from:0.#}\" width=\"{to - from:0.#}\" y=\"{Top}\" height=\"{Height - Top - Bottom}\"/>");
            }

            Add(svg, $"<text class=\"tick\" text-anchor=\"middle\" x=\"{(from + to) / 2:0.#}\" y=\"{Top - 8}\">{Encode(bands[i].Name)}</text>");
        }
    }

    private static void AddSeries(StringBuilder svg, Axis x, Axis y, Series series, int number, bool hasMarks)
    {
        foreach (var line in Unbroken(series.Points))
        {
            // A line of one point is a dot only when it goes from there to there.
            var path = string.Join(' ', (line.Count == 1 ? [line[0], line[0]] : line).Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(x, p.X):0.#},{Y(y, p.Y!.Value):0.#}")));
            Add(svg, $"<polyline class=\"line s{number}\" points=\"{path}\"/>");
        }

        if (series.Points.Count > MarksMax)
        {
            return;
        }

        foreach (var point in series.Points.Where(p => p.Y is not null))
        {
            var isAlone = series.Points.Count(p => p.Group == point.Group && p.Y is not null) == 1;
            Add(svg, $"<circle class=\"{(hasMarks || isAlone ? "mark" : "spot")} s{number}\" cx=\"{X(x, point.X):0.#}\" cy=\"{Y(y, point.Y!.Value):0.#}\" r=\"{(hasMarks || isAlone ? 3.5 : 7)}\"><title>{Encode(point.Text)}</title></circle>");
        }
    }

    private static IEnumerable<List<PlotPoint>> Unbroken(IReadOnlyList<PlotPoint> points)
    {
        var line = new List<PlotPoint>();
        foreach (var point in points)
        {
            if (line.Count > 0 && (point.Y is null || point.Group != line[^1].Group))
            {
                yield return line;
                line = [];
            }

            if (point.Y is not null)
            {
                line.Add(point);
            }
        }

        if (line.Count > 0)
        {
            yield return line;
        }
    }

    private static double X(Axis axis, double value) => Left + (axis.Place(value) * (Width - Left - Right));

    private static double Y(Axis axis, double value) => Height - Bottom - (axis.Place(value) * (Height - Top - Bottom));

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static void Add(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture));
}
