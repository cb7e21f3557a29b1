using Spectre.Console;

namespace BackupEngine.Cli.Output;

/// <summary>Where things can be drawn for people.</summary>
internal static class Terminal
{
    // Wide enough that no table is folded in a file or a pipe.
    private const int UnboundedWidth = 1000;

    /// <summary>Whether stdout is a terminal.</summary>
    public static bool IsInteractive => !Console.IsOutputRedirected;

    /// <summary>Columns of the terminal behind stdout; more than anybody fills when it is none.</summary>
    public static int Width => IsInteractive && Console.WindowWidth > 0 ? Console.WindowWidth : UnboundedWidth;

    /// <summary>Stdout, for tables.</summary>
    public static IAnsiConsole Output
    {
        get
        {
            IAnsiConsole console = Create(Console.Out, IsInteractive);
            if (!IsInteractive)
                console.Profile.Width = Width;
            return console;
        }
    }

    /// <summary>The terminal that progress is drawn on: stderr, or else stdout when nothing but people reads it; null when there is none.</summary>
    public static IAnsiConsole? ForProgress(bool json)
    {
        if (Environment.GetEnvironmentVariable("TERM") is "dumb")
            return null;
        if (!Console.IsErrorRedirected)
            return Create(Console.Error, isTerminal: true);
        return Console.IsOutputRedirected || json ? null : Create(Console.Out, isTerminal: true);
    }

    private static IAnsiConsole Create(TextWriter writer, bool isTerminal) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(writer),
        Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
        ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
    });
}
