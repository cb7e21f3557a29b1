using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.TestKit.Requirements;

/// <summary>
/// Says what a test needs of the machine. A test whose requirement is missing is skipped with one line that says what is missing and what provides it;
/// a run that passes <c>--fail-skips on</c>, as CI does, fails instead.
/// </summary>
public static class Requires
{
    private const string LoopControl = "/dev/loop-control";

    private static readonly Lazy<string?> _missingLoopDevices = new(FindMissingLoopDevices);

    /// <summary>Requires a command and returns its full path.</summary>
    public static string Command(string command)
    {
        CheckMark();
        if (SystemCommands.Find(command) is { } path)
            return path;
        throw Skip(SystemCommands.FindPackage(command) is { } package
            ? $"'{command}' is not installed: 'tests/run --install' installs it (Debian package {package})"
            : $"'{command}' is not installed");
    }

    /// <summary>Requires every command of <c>tests/requirements.txt</c> that a shell script calls.</summary>
    public static void CommandsOf(string script)
    {
        HashSet<string> words = [.. script.Split([' ', '\t', '\n', '|', '(', ')', ';', '$', '"'], StringSplitOptions.RemoveEmptyEntries)];
        foreach (string command in SystemCommands.Listed.Where(words.Contains))
            Command(command);
    }

    /// <summary>Requires Linux.</summary>
    /// <param name="feature">What only Linux has, as the beginning of a sentence: "A named pipe".</param>
    public static void Linux(string feature)
    {
        if (!OperatingSystem.IsLinux())
            throw Skip($"{feature} needs Linux");
    }

    /// <summary>Requires an operating system other than Windows.</summary>
    /// <param name="feature">What Windows does not have, as the beginning of a sentence.</param>
    public static void Unix(string feature)
    {
        if (OperatingSystem.IsWindows())
            throw Skip($"{feature} is not available on Windows");
    }

    /// <summary>Requires the rights of root on Linux.</summary>
    /// <param name="action">What needs them, as the beginning of a sentence: "Mounting a file system".</param>
    public static void Root(string action)
    {
        CheckMark();
        Linux(action);
        if (!Environment.IsPrivilegedProcess)
            throw Skip($"{action} needs root: 'sudo tests/run' provides it");
    }

    /// <summary>Requires the right to mount, and a kernel that lets this process do so.</summary>
    public static void Mounts()
    {
        Root("Mounting a file system");
        Command("mount");
    }

    /// <summary>Requires block devices that are backed by files.</summary>
    public static void LoopDevices()
    {
        Root("Attaching a loop device");
        Mounts();
        Command("losetup");
        Command("flock");
        if (_missingLoopDevices.Value is { } missing)
            throw Skip(missing);
    }

    /// <summary>Requires a file system of the kernel and the command that creates it.</summary>
    /// <param name="name">The file system as mount(8) names it: ext4, xfs, btrfs.</param>
    public static void FileSystem(string name)
    {
        Command("mkfs." + name);
        if (!IsInKernel(name))
            throw Skip($"the kernel has no {name}: 'modprobe {name}' loads it where the kernel was built with it");
    }

    /// <summary>Requires that this run may start servers: S3, PostgreSQL.</summary>
    public static void Servers()
    {
        CheckMark();
        if (Environment.GetEnvironmentVariable("BACKUPENGINE_TEST_SERVERS") == "none")
            throw Skip("this run leaves out tests with servers: 'tests/run' without --quick runs them");
    }

    /// <summary>Skips the test.</summary>
    /// <returns>Never; the type lets callers write <c>throw</c>.</returns>
    internal static Exception Skip(string reason)
    {
        Assert.Skip(reason);
        return new System.Diagnostics.UnreachableException();
    }

    /// <summary>A long test that needs something of the machine must say so, or it would never run where that is missing.</summary>
    private static void CheckMark()
    {
        if (TestContext.Current.TestCase is { } test && test.Traits.ContainsKey(LongRunningAttribute.ToolsTrait))
            Assert.Fail("This test requires something of the machine: mark it [LongRunning(NeedsTools = true)].");
    }

    private static bool IsInKernel(string fileSystem)
    {
        bool IsKnown() => File.ReadLines("/proc/filesystems").Any(line => line.EndsWith("\t" + fileSystem, StringComparison.Ordinal));
        return IsKnown() || (SystemCommands.Find("modprobe") is { } modprobe && SystemTool.TryRun(modprobe, "--quiet", fileSystem).ExitCode == 0 && IsKnown());
    }

    private static string? FindMissingLoopDevices()
    {
        if (!File.Exists(LoopControl))
            return $"the kernel has no loop devices: 'modprobe loop' provides {LoopControl}";
        (int exitCode, _, string errors) = SystemTool.TryRun("losetup", "--find");
        return exitCode == 0 ? null : $"losetup finds no free loop device: {errors.ReplaceLineEndings(" ")}";
    }
}
