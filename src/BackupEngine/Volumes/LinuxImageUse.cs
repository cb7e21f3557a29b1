using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Volumes;

/// <summary>Finds out what uses an image file: loop devices, swap, and virtual machines of QEMU.</summary>
internal static class LinuxImageUse
{
    // QEMU (block/file-posix.c) holds a shared lock on byte 100 + n for every permission n that it uses, and on byte 200 + n for every one that it denies to others.
    private const long QemuPermissions = 100;
    private const long QemuWrite = QemuPermissions + 1;
    private const long QemuResize = QemuPermissions + 3;
    private const long QemuLocksLength = 105;

    /// <summary>Describes what may write to an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="handle">The image, open.</param>
    /// <returns>A clause for a message; null when nothing is known.</returns>
    public static string? FindWriter(LinuxFileStatus image, SafeFileHandle handle)
    {
        foreach (LoopDevice loop in FindLoops(image))
        {
            if (!loop.IsReadOnly)
                return loop.Describe();
        }

        return FindSwap(image)
            ?? (LinuxNative.IsLocked(handle, QemuWrite, 1) || LinuxNative.IsLocked(handle, QemuResize, 1) ? "a virtual machine of QEMU, or a similar program, writes to it" : null);
    }

    /// <summary>Describes what uses an image in any way, so that writing to it would do harm.</summary>
    /// <param name="path">Path of the image.</param>
    /// <returns>A clause for a message; null when nothing is known.</returns>
    public static string? FindUser(string path)
    {
        // Opened only for the question, and without .NET's advisory lock: nothing is held that could hinder a virtual machine or another volume.
        using SafeFileHandle handle = LinuxNative.OpenWithoutLock(path);
        LinuxFileStatus image = LinuxNative.GetStatus(handle);
        return FindLoops(image).FirstOrDefault()?.Describe()
            ?? FindSwap(image)
            ?? (LinuxNative.IsLocked(handle, QemuPermissions, QemuLocksLength) ? "a virtual machine of QEMU, or a similar program, has it open" : null);
    }

    private static string? FindSwap(LinuxFileStatus image) =>
        LinuxMounts.ReadSwaps().Exists(swap => LinuxNative.TryGetStatus(swap) is { } status && status.IsSameFile(image)) ? "it is swap space" : null;

    private static IEnumerable<LoopDevice> FindLoops(LinuxFileStatus image)
    {
        if (!Directory.Exists("/sys/block"))
            yield break;
        foreach (string device in Directory.EnumerateDirectories("/sys/block", "loop*"))
        {
            string backing;
            try
            {
                backing = File.ReadAllText($"{device}/loop/backing_file").TrimEnd('\n');
            }
            catch (Exception error) when (VolumeErrors.IsSystemError(error))
            {
                // Nothing is attached to it, or not any more.
                continue;
            }

            if (LinuxNative.TryGetStatus(backing) is { } status && status.IsSameFile(image))
                yield return new LoopDevice(device);
        }
    }

    private sealed class LoopDevice(string directory)
    {
        public bool IsReadOnly => File.Exists($"{directory}/ro") && File.ReadAllText($"{directory}/ro").Trim() == "1";

        public string Describe()
        {
            string[] number = File.ReadAllText($"{directory}/dev").Trim().Split(':');
            var device = new LinuxDeviceNumber(uint.Parse(number[0], CultureInfo.InvariantCulture), uint.Parse(number[1], CultureInfo.InvariantCulture));
            string attached = $"it is attached to /dev/{Path.GetFileName(directory)}";
            return LinuxDeviceUse.FindMount(device) is { } mount ? $"{attached}, and {mount}" : attached;
        }
    }
}
