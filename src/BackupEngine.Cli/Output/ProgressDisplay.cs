using Spectre.Console;
using Spectre.Console.Rendering;

namespace BackupEngine.Cli.Output;

/// <summary>A line with a bar, bytes, rate and time left, while an operation runs.</summary>
internal static class ProgressDisplay
{
    public static async Task<T> RunAsync<T>(IAnsiConsole console, string title, Func<IProgress<BackupProgress>?, Task<T>> operation)
    {
        LatestProgress latest = new(TimeProvider.System);
        return await console.Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new BytesColumn(latest))
            .StartAsync(async display =>
            {
                ProgressTask task = display.AddTask(Markup.Escape(title), maxValue: 1);
                latest.Shown = task;
                return await operation(latest);
            });
    }

    private sealed class BytesColumn(LatestProgress latest) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(latest.Describe());
    }
}
