using Spectre.Console;

namespace Roster.Cli;

/// <summary>Where a command writes: tables and text to <see cref="Out"/>, errors and progress to <see cref="Error"/>.</summary>
internal sealed class CliConsole
{
    // Wide enough for a table in a file or a pipe, where no window says how wide it is.
    private const int RedirectedWidth = 160;

    private readonly Lock _errorLines = new();

    public CliConsole(IAnsiConsole output, IAnsiConsole error, TextWriter plain)
    {
        Out = output;
        Error = error;
        Plain = plain;
    }

    /// <summary>For people.</summary>
    public IAnsiConsole Out { get; }

    /// <summary>For people, on standard error.</summary>
    public IAnsiConsole Error { get; }

    /// <summary>For programs: text as it is, such as JSON.</summary>
    public TextWriter Plain { get; }

    /// <summary>The process's own.</summary>
    public static CliConsole Standard() =>
        new(Create(Console.Out, Console.IsOutputRedirected), Create(Console.Error, Console.IsErrorRedirected), Console.Out);

    /// <summary>Writes into a text, for tests.</summary>
    public static CliConsole Capture(TextWriter output, TextWriter error) =>
        new(Create(output, isRedirected: true), Create(error, isRedirected: true), output);

    /// <summary>Says one thing that went wrong.</summary>
    public void Fail(string sentence) => Tell("red", "error", sentence);

    /// <summary>Says one thing to look at.</summary>
    public void Warn(string sentence) => Tell("yellow", "warning", sentence);

    // A file or a pipe gets a sentence on one line; a window gets it around a progress bar that may be there.
    private void Tell(string color, string kind, string sentence)
    {
        if (Error.Profile.Capabilities.Interactive)
        {
            Error.MarkupLine($"[{color}]{kind}[/] {Markup.Escape(sentence)}");
            return;
        }

        lock (_errorLines)
        {
            Error.Profile.Out.Writer.WriteLine($"{kind} {sentence}");
        }
    }

    private static IAnsiConsole Create(TextWriter writer, bool isRedirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = isRedirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (isRedirected)
        {
            console.Profile.Width = RedirectedWidth;
        }

        return console;
    }
}
